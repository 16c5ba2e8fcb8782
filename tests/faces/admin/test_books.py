"""Twin of faces/admin/books.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.books import AuditLog, LedgerHealth, Paces, Receipt, Receipts, UsageReport
from tests.faces.admin.gate import Gate, gate
from tests.faces.admin.test_session import HELLO


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_who_sees_which_receipts(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    eve = await g.person("rival", "eve", "owner")
    ids = {}
    for name, browser in (("boss", boss), ("ann", ann), ("eve", eve)):
        answer = await browser.ask("POST", "/v1/chat/completions", HELLO)
        ids[name] = answer.headers["x-request-id"]
    sees = {"ann": {"ann"}, "boss": {"ann", "boss"}, "eve": {"eve"}}
    for name, browser in (("boss", boss), ("ann", ann), ("eve", eve)):
        rows = Receipts.model_validate(await browser.get("/receipts")).data
        assert {row.id for row in rows} == {ids[one] for one in sees[name]}
        assert all(row.provider_cost_usd is None for row in rows)
        for one, number in ids.items():
            answer = await browser.ask("GET", f"/receipts/{number}")
            assert answer.status == (200 if one in sees[name] else 404), (name, one)
        used = UsageReport.model_validate(await browser.get("/usage", group_by="user"))
        assert {row["user"].partition("/")[2] for row in used.data} == sees[name]
        other = await browser.get("/usage", group_by="user", user="rival/eve" if name != "eve" else "acme/ann")
        assert other["data"] == []
    assert (await ann.ask("GET", "/receipts?user=boss")).status == 404
    assert (await boss.ask("GET", "/receipts?workspace=rival")).status == 404
    assert [row["id"] for row in (await boss.get("/receipts", user="ann"))["data"]] == [ids["ann"]]
    house = g.house
    assert len((await house.get("/receipts"))["data"]) == 3
    found = Receipt.model_validate(await house.get(f"/receipts/{ids['ann']}"))
    assert found.calls[0].target and found.user == "ann" and found.lines
    hidden = await boss.get(f"/receipts/{ids['ann']}")
    assert "target" not in hidden["calls"][0]
    assert "provider_cost_usd" in (await house.get("/usage"))["total"]
    assert "provider_cost_usd" not in (await boss.get("/usage"))["total"]


async def test_receipts_are_found_by_what_is_on_them(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    key = (await ann.get("/session"))["key"]
    for model in ("conflux/deepseek-v4-pro", "gpt-4o-mini", "gpt-4o-mini"):
        await ann.ask("POST", "/v1/chat/completions", {**HELLO, "model": model})
    house = g.house

    async def count(**where: object) -> int:
        return len((await house.get("/receipts", **where))["data"])

    assert await count(model="gpt-4o-mini") == 2 and await count(model="none") == 0
    assert await count(key=key) == 3 and await count(key="key_1") == await count(key="x") == 0
    assert await count(workspace="acme", user="ann", ending="done", status=200, simulated=True) == 3
    assert await count(since="2020-01-01", until="2020-01-02") == 0 and await count(since="2020-01-01") == 3
    first = await house.get("/receipts", limit=2)
    second = await house.get("/receipts", limit=2, cursor=first["next"])
    assert len({row["id"] for row in first["data"] + second["data"]}) == 3 and second["next"] is None
    file = await house.ask("GET", "/receipts?format=csv")
    assert len(file.text.splitlines()) == 4
    for bad in ("since=yesterday", "status=1", "ending=x", "since=9999-12-31", "cursor=x", "until=0001-01-01"):
        assert (await house.ask("GET", f"/receipts?{bad}")).status == 400, bad
    for name in ("req_0", "x", "req_" + "f" * 16, "%00"):
        assert (await house.ask("GET", f"/receipts/{name}")).status == 404, name


async def test_usage_says_what_is_wrong_and_comes_as_a_file(g: Gate) -> None:
    house = g.house
    assert (await house.ask("GET", "/usage?group_by=colour")).status == 400
    assert (await house.ask("GET", "/usage?colour=red")).status == 400
    file = await house.ask("GET", "/usage?format=csv&group_by=model")
    assert file.status == 200 and file.text.startswith("model,simulated,requests")


async def test_how_long_answers_took(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    for browser in (boss, ann, ann):
        await browser.ask("POST", "/v1/chat/completions", HELLO)
    (row,) = Paces.model_validate(await ann.get("/performance")).data
    assert (row.name, row.requests, row.failed) == (HELLO["model"], 2, 0) and row.at % 86_400 == 0
    assert row.latency_ms is not None and row.latency_ms <= row.slowest_ms
    rows = Paces.model_validate(await boss.get("/performance", group_by="user", by="hour")).data
    assert [(one.name, one.requests) for one in rows] == [("acme/ann", 2), ("acme/boss", 1)]
    key = (await ann.get("/session"))["key"]
    assert [one["name"] for one in (await g.house.get("/performance", group_by="key", key=key))["data"]] == [key]
    for where in ({"simulated": False}, {"model": "none"}, {"storefront": "llmbase"}, {"until": "2020-01-01"}):
        assert (await g.house.get("/performance", **where))["data"] == [], where
    assert (await ann.ask("GET", "/performance?user=boss")).status == 404
    assert (await ann.ask("GET", "/performance?group_by=colour")).status == 400


async def test_the_audit_log_of_a_workspace(g: Gate) -> None:
    boss = await g.person("acme", "boss", "admin")
    await boss.ask("POST", "/workspaces/acme/users", {"name": "ann", "password": "a long password"})
    await boss.ask("POST", "/workspaces/acme/users", {"name": "ann"})
    await g.house.ask("POST", "/workspaces", {"name": "rival"})
    found = AuditLog.model_validate(await boss.get("/audit")).data
    assert [(row.act, row.outcome) for row in found][:3] == [
        ("users.create", "refused"), ("users.password", "done"), ("users.create", "done")]  # fmt: skip
    assert found[0].actor == "acme/boss" and {row.workspace for row in found} == {"acme"}
    house = g.house
    everything = await house.get("/audit", limit=500)
    acts = [row["act"] for row in everything["data"]]
    assert "a long password" not in str(everything) and "workspaces.create" in acts
    mine = (await house.get("/audit", act="users.password", who="acme/boss"))["data"]
    assert [row["target"] for row in mine] == ["ann"]
    first = await house.get("/audit", limit=2)
    assert (await house.get("/audit", limit=500, cursor=first["next"]))["data"] == everything["data"][2:]


async def test_the_ledgers_health(g: Gate) -> None:
    house = g.house
    assert LedgerHealth.model_validate(await house.get("/ledger")).checked is None
    checked = LedgerHealth.model_validate(await house.get("/ledger", verify=True)).checked
    assert checked is not None and (await house.ask("POST", "/ledger/rebuild")).json() == {"rebuilt": 0}


async def test_only_the_house_gives_back_and_only_what_was_paid(g: Gate) -> None:
    boss = await g.person("acme", "boss", "admin")
    asked = await boss.ask("POST", "/v1/chat/completions", HELLO)
    place = f"/receipts/{asked.headers['x-request-id']}/refund"
    assert (await boss.ask("POST", place, {})).status == 403
    refused = await g.house.ask("POST", place, {"note": "sorry"})
    assert refused.status == 400 and "paid" in refused.json()["error"]["message"]  # the simulator is free
    assert (await g.house.ask("POST", place, {"usd": "much"})).status == 400
    assert (await g.house.ask("POST", "/receipts/req_0000000000000000/refund", {})).status == 404
    log = AuditLog.model_validate(await g.house.get("/audit", act="ledger.refund")).data
    assert {(one.outcome, one.workspace) for one in log} == {("refused", "acme")}
