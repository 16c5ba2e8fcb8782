"""POST /v1/route/explain: whose body it is, and that nothing is sent or held."""

import json
from typing import Any

import pytest

from tests.faces.door import opened
from tests.faces.test_public import BEARER
from tests.policy.samples import caller
from tests.relay.shops import shop
from tests.relay.test_admit import TASKED
from tests.relay.world import KEY, World

TURN = [{"role": "user", "content": "hello"}]
BODIES: list[tuple[str, dict[str, Any], str | None]] = [
    ("", {"messages": TURN}, None),
    ("?endpoint=/v1/chat/completions", {"messages": TURN}, None),
    ("?endpoint=/v1/messages", {"messages": TURN, "max_tokens": 10}, None),
    ("", {"messages": TURN, "max_tokens": 10}, "anthropic-version: 2023-06-01"),
    ("", {"input": "hello"}, None),
    ("", {"prompt": "hello"}, None),
    ("", {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}, None),
    ("?endpoint=/v1beta/models/auto:generateContent", {"contents": [{"parts": [{"text": "hello"}]}]}, None),
]


async def explain(world: World, body: dict[str, Any], query: str = "", *headers: str) -> tuple[int, Any]:
    async with opened(world) as door:
        path = f"/v1/route/explain{query}"
        status, _, answer = await door.post(path, json.dumps(body).encode(), BEARER, *headers)
    assert world.ledger.reserved == [] and world.upstream.opened == []
    assert world.health.measures.homes.of(b"", 0) is None and len(world.health.measures.homes) == 0
    return status, json.loads(answer)


@pytest.mark.parametrize(("query", "body", "header"), BODIES)
async def test_every_protocols_body_is_understood(query: str, body: dict[str, Any], header: str | None) -> None:
    status, shown = await explain(
        World(TASKED), {**body, "task_type": "creative"}, query, *([header] if header else [])
    )
    assert status == 200, shown
    assert (shown["model"], shown["task_type"], shown["tier"]) == ("shop/cheap", "creative", "pro") or "prompt" in body


async def test_a_task_is_explained_whole() -> None:
    status, shown = await explain(World(TASKED), {"task_type": "file_ops", "messages": TURN})
    assert status == 200
    assert list(shown) == ["model", "reason", "task_type", "tier", "prefer", "needs", "candidates", "attempts",
                           "worst_case_usd", "simulated"]  # fmt: skip
    assert (shown["model"], shown["reason"], shown["needs"]) == ("shop/handy", "best", ["tools"])
    rows = {row["model"]: row for row in shown["candidates"]}
    assert {name for name, row in rows.items() if row["kept"]} == {"shop/handy", "shop/one"}
    assert rows["shop/cheap"]["dropped_because"] == "capability" and rows["shop/handy"]["dropped_because"] is None
    assert set(rows["shop/one"]) == {"model", "kept", "dropped_because", "cost_usd", "time_s", "success", "quality",
                                     "score"}  # fmt: skip
    assert float(rows["shop/handy"]["score"]) < float(rows["shop/one"]["score"])
    assert shown["attempts"] == [{"model": "shop/handy", "role": "first"}]


async def test_a_named_model_too_with_who_could_stand_in_for_it() -> None:
    world = World(TASKED)
    status, shown = await explain(world, {"model": "uno", "messages": TURN})
    assert status == 200 and (shown["model"], shown["reason"], shown["task_type"]) == ("shop/one", "named", None)
    assert {row["model"] for row in shown["candidates"]} >= {"shop/one", "shop/cheap"}
    assert shown["attempts"][0] == {"model": "shop/one", "role": "first"}


async def test_targets_are_for_admins() -> None:
    world = World(shop(2))
    body = {"model": "shop/one", "messages": TURN}
    _, plain = await explain(world, body)
    assert "canary" not in json.dumps(plain).lower()
    world.keys.callers[KEY] = caller(admin=True)
    _, shown = await explain(world, body)
    assert [one["open"] for one in shown["attempts"][0]["targets"]] == [True, True]


async def test_a_task_that_nobody_serves_is_explained_and_nonsense_is_refused() -> None:
    status, shown = await explain(World(TASKED), {"task_type": "deep_reasoning", "messages": TURN})
    assert status == 200 and shown["model"] is None and "tier 4" in shown["reason"] and shown["attempts"] == []
    assert {row["dropped_because"] for row in shown["candidates"]} == {"tier"}
    for body, param in (
        ({"task_type": "x", "messages": TURN}, "task_type"),
        ({"task_type": "creative", "model": "uno", "messages": TURN}, "task_type"),
        ({"task_type": "creative", "prefer": "x", "messages": TURN}, "prefer"),
    ):
        status, shown = await explain(World(TASKED), body)
        assert status == 400 and shown["error"]["param"] == param
    status, shown = await explain(World(TASKED), {"messages": TURN}, "?endpoint=/v1/nothing")
    assert status == 400 and shown["error"]["param"] == "endpoint"
