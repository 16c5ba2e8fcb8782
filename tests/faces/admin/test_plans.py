"""Twin of faces/admin/plans.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.plans import CreditBalances, Grant, Granted, Grants, Plans, Revoked, Subscribed, Subscriptions
from tests.faces.admin.gate import Gate, gate

ASK = {"model": "deepseek/deepseek-v4-flash", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_plans_who_is_on_one_and_what_is_left(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    bob = await g.person("acme", "bob", "member")
    (plan, *_) = Plans.model_validate(await ann.get("/plans")).data
    house = g.house
    key = (await g.do("keys.create", workspace="acme", user="ann", storefront=plan.storefront, agent=True))["id"]
    for path in ("/subscriptions/user/acme/bob", f"/subscriptions/key/{key}", "/subscriptions/workspace/acme"):
        made = await house.ask("PUT", path, {"plan": plan.id})
        assert made.status == 200 and Subscribed.model_validate(made.json()).plan == plan.id, made.text
    seen = {one.owner for one in Subscriptions.model_validate(await bob.get("/subscriptions")).data}
    assert seen == {"acme", "acme/bob"}
    rows = Subscriptions.model_validate(await boss.get("/subscriptions", kind="key")).data
    assert [(one.owner, one.windows[0].window, one.windows[0].requests) for one in rows] == [
        (key, plan.windows[0].window, 0)
    ]
    assert (await house.ask("DELETE", "/subscriptions/user/acme/bob")).json()["plan"] is None
    assert (await house.ask("DELETE", "/subscriptions/user/acme/bob")).status == 404
    for path, status in (("/user/acme", 404), ("/workspace/acme/bob", 404), ("/key/key_999", 404)):
        assert (await house.ask("PUT", "/subscriptions" + path, {"plan": plan.id})).status == status, path
    assert (await house.ask("PUT", "/subscriptions/workspace/acme", {"plan": "none"})).status == 400
    assert (await boss.ask("PUT", "/subscriptions/workspace/acme", {"plan": plan.id})).status == 403


async def test_what_is_used_of_a_plan_is_counted(g: Gate) -> None:
    made = await g.do("keys.create", storefront="llmbase", agent=True)
    agent = g.browser(authorization=f"Bearer {made['key']}")
    answer = await agent.ask("POST", "/v1/chat/completions", ASK)
    assert answer.status == 200, answer.text
    rows = Subscriptions.model_validate(await g.house.get("/subscriptions")).data
    assert rows and all(window.requests == 0 for row in rows for window in row.windows), "simulated: nothing is taken"


async def test_credits_are_given_seen_and_taken_back(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    house = g.house
    answer = await house.ask(
        "POST", "/credits/grants", {"workspace": "acme", "credits": "12.5", "expires": "30d", "note": "a gift"}
    )
    assert answer.status == 201, answer.text
    made = Granted.model_validate(answer.json())
    await house.ask("POST", "/credits/grants", {"workspace": "default", "credits": "1"})
    for browser in (boss, ann):
        (balance,) = CreditBalances.model_validate(await browser.get("/credits")).data
        assert (balance.workspace, balance.credits) == ("acme", "12.5")
    (grant,) = Grants.model_validate(await boss.get("/credits/grants")).data
    assert isinstance(grant, Grant) and (grant.id, grant.status, grant.note) == (made.id, "open", "a gift")
    assert len((await house.get("/credits/grants"))["data"]) == 2
    gone = Revoked.model_validate((await house.ask("DELETE", f"/credits/grants/{made.id}")).json())
    assert (gone.id, gone.left_credits) == (made.id, "12.5")
    assert (await boss.get("/credits"))["data"][0]["credits"] == "0"
    for bad in ({"workspace": "none", "credits": "1"}, {"workspace": "acme", "credits": "-1"}, {"workspace": "acme"}):
        assert (await house.ask("POST", "/credits/grants", bad)).status in (400, 404), bad
    assert (await house.ask("DELETE", "/credits/grants/grant_99")).status == 404
    assert "credits.grant" in (await house.ask("GET", "/audit?workspace=acme")).text
