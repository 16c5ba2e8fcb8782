"""Twin of faces/admin/limits.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.limits import Budgets, Policies, Policy, Preview, SetBudget
from tests.faces.admin.gate import Gate, gate


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_budgets(g: Gate) -> None:
    boss = await g.person("acme", "boss", "admin")
    await g.person("acme", "ann", "member")
    key = (await g.do("keys.create", workspace="acme", user="ann", name="k"))["id"]
    house = g.house
    for kind, owner in (("workspace", "acme"), ("user", "acme/ann"), ("key", key)):
        answer = await house.ask("PUT", f"/budgets/{kind}/{owner}", {"usd": "12.5", "window": "month"})
        assert SetBudget.model_validate(answer.json()).cap_usd == "12.5", answer.text
    assert (await house.ask("PUT", "/budgets/storefront/conflux", {"usd": "5", "window": "day"})).status == 200
    assert (await boss.ask("PUT", "/budgets/storefront/conflux", {"usd": "5"})).status == 403
    assert (await house.ask("PUT", "/budgets/storefront/none", {"usd": "5"})).status == 400
    assert [row["owner"] for row in (await house.get("/budgets", kind="storefront"))["data"]] == ["conflux"]
    assert len(Budgets.model_validate(await boss.get("/budgets")).data) == 3
    assert [row["kind"] for row in (await boss.get("/budgets", kind="key"))["data"]] == ["key"]
    assert (await boss.ask("PUT", "/budgets/user/acme/ann", {"usd": None, "window": "month"})).status == 200
    assert (await boss.ask("PUT", f"/budgets/key/{key}", {"usd": "1"})).status == 200
    for path in ("/budgets/workspace/acme", "/budgets/user/acme/boss"):
        assert (await boss.ask("PUT", path, {"usd": "1000"})).status == 403, path
    for bad in ({"usd": "-1"}, {"usd": "x"}, {}, {"usd": "1", "window": "year"}, {"usd": 1.5}):
        assert (await house.ask("PUT", "/budgets/workspace/acme", bad)).status == 400, bad
    assert (await house.ask("PUT", "/budgets/galaxy/acme", {"usd": "1"})).status == 400


async def test_policies_and_their_preview_is_the_list(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    path = "/policies/user/acme/ann"
    assert (await boss.ask("GET", path)).status == 404
    made = await boss.ask("PUT", path, {"terms": {"deny": ["conflux/*"], "requests_per_minute": 60}})
    assert Policy.model_validate(made.json()).terms["deny"] == ["conflux/*"], made.text
    assert (await boss.ask("PUT", path, {"terms": {"requests_per_minute": None}})).status == 200
    assert len(Policies.model_validate(await boss.get("/policies")).data) == 1
    key = (await ann.get("/session"))["key"]
    found = Preview.model_validate((await ann.ask("POST", "/policies/preview", {"key": key})).json())
    listed = (await ann.ask("GET", "/v1/models")).json()["data"]
    assert [row.id for row in found.models if row.listed] == [row["id"] for row in listed]
    assert next(row.reason for row in found.models if row.id.startswith("conflux/"))
    assert (await boss.ask("PUT", path, {"enabled": False})).json()["enabled"] is False
    assert (await boss.ask("DELETE", path)).status == 200


async def test_what_is_not_ones_own_to_lift(g: Gate) -> None:
    boss, owner = await g.person("acme", "boss", "admin"), await g.person("acme", "olga", "owner")
    await g.person("rival", "eve", "member")
    terms = {"terms": {"allow": ["*"]}}
    own = (await boss.get("/session"))["key"]
    for path in ("/policies/workspace/acme", "/policies/user/acme/boss", "/policies/user/acme/olga",
                 f"/policies/key/{own}"):  # fmt: skip
        assert (await boss.ask("PUT", path, terms)).status == 403, path
        assert (await boss.ask("DELETE", path)).status == 403, path
    assert (await owner.ask("PUT", "/policies/user/acme/boss", terms)).status == 200
    assert (await owner.ask("PUT", "/policies/workspace/acme", terms)).status == 403
    assert (await owner.ask("PUT", "/policies/user/acme/boss", {"terms": {"entitle": ["codex/*"]}})).status == 403
    theirs = (await g.do("keys.create", workspace="rival", user="eve", name="k"))["id"]
    for path in ("/policies/user/rival/eve", "/policies/workspace/rival", f"/policies/key/{theirs}",
                 "/policies/user/acme/nobody"):  # fmt: skip
        assert (await owner.ask("PUT", path, terms)).status == 404, path
    assert (await owner.ask("POST", "/policies/preview", {"key": theirs})).status == 404


async def test_a_policy_that_makes_no_sense_is_told_whole(g: Gate) -> None:
    answer = await g.house.ask("PUT", "/policies/workspace/default", {"terms": {"denny": ["x"]}})
    assert answer.status == 400 and "denny" in answer.json()["error"]["message"]
