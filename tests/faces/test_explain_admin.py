"""The operation goes the way of the endpoint: the same answer, the same refusals."""

from functools import partial
from typing import Any

import pytest

from conflux.faces import explaining
from conflux.faces.explain_admin import ExplainAdmin
from conflux.neutral.errors import ConfigError
from tests.relay.test_admit import TASKED
from tests.relay.world import KEY, World

TURN = [{"role": "user", "content": "hello"}]


async def explain(world: World, **body: Any) -> Any:
    admin = ExplainAdmin(partial(explaining.answer, world.parts))
    return await admin.table()["route.explain"]({"key": KEY, "body": {"messages": TURN, **body}})


async def test_it_is_the_endpoints_answer_and_nothing_is_sent() -> None:
    world = World(TASKED)
    shown = await explain(world, task_type="file_ops")
    assert (shown["model"], shown["reason"], shown["tier"]) == ("shop/handy", "best", "pro")
    assert shown["candidates"] and world.ledger.reserved == [] and world.upstream.opened == []


async def test_what_the_request_would_be_refused_with_is_told() -> None:
    with pytest.raises(ConfigError, match=r"sing.*simple_chat"):
        await explain(World(TASKED), task_type="sing")
    with pytest.raises(ConfigError, match="not both"):
        await explain(World(TASKED), task_type="creative", model="shop/one")


async def test_without_a_server_and_without_a_body_it_is_said() -> None:
    with pytest.raises(ConfigError, match="conflux serve"):
        await ExplainAdmin(None).explain({"key": "k", "body": {}})
    with pytest.raises(ConfigError, match="body"):
        await ExplainAdmin(None).explain({"key": "k"})
