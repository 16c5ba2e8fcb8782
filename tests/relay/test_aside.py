"""Long requests are read and written beside the turns of others, and mean the same."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace

from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect
from conflux.relay.admit import count, let_in
from conflux.relay.aside import Aside, is_long
from conflux.relay.gateway import Gateway
from conflux.relay.parts import Incoming
from tests.policy.samples import caller
from tests.relay.answers import request, whole
from tests.relay.panels import ROLES, house
from tests.relay.shops import shop
from tests.relay.world import KEY, World

T = TypeVar("T")
CHAT = DIALECTS["openai-chat"]
MANY: list[dict[str, Any]] = [{"role": "user", "content": f"Say {number}, and then say it once more, please."}
                              for number in range(1_200)]  # fmt: skip
ANTHROPIC: dict[str, Any] = {"of_provider": {"dialects": ("anthropic-messages",)}}


class Watched(Aside):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[bool] = []  # each: not in the loop's own thread

    async def do(self, work: Callable[[], T]) -> T:
        def told() -> T:
            self.done.append(threading.current_thread() is not threading.main_thread())
            return work()

        return await super().do(told)


def watched(world: World) -> Watched:
    aside = Watched()
    world.parts = replace(world.parts, aside=aside)
    world.gateway = Gateway(world.parts)
    return aside


@pytest.mark.parametrize(
    ("body", "long"),
    [(b"{" * 1_001 + b" " * 65_536, True), (b"{" * 1_000 + b" " * 65_536, False), (b"{" * 65_536, False),
     (b" " * 100_000, False)],
)  # fmt: skip
def test_only_what_has_many_objects_takes_long(body: bytes, long: bool) -> None:
    assert is_long(body) is long


@pytest.mark.parametrize("of", [{}, ANTHROPIC])
async def test_a_long_request_is_read_and_written_aside_and_a_short_one_is_not(of: dict[str, Any]) -> None:
    for messages, times in ((MANY, 2), (MANY[:3], 0)):
        world = World(shop(**of), whole())
        aside = watched(world)
        assert await world.run(request(messages=messages, max_tokens=50)) is None
        assert aside.done == [True] * times
        (sent,) = world.upstream.bodies
        said = [one["content"] for one in sent["messages"]]
        assert json.dumps(said).count("once more, please") == len(messages)


async def test_what_is_wrong_with_a_long_request_is_told_as_of_a_short_one() -> None:
    world = World(shop(), whole())
    aside = watched(world)
    assert await world.run(request(messages=[*MANY, {"role": "nobody", "content": "x"}])) is None
    assert world.client.status == 400 and b"nobody" in world.client.seen and aside.done == [True]
    world = World(shop(**ANTHROPIC), whole())
    aside = watched(world)
    assert await world.run(request(messages=MANY, n=2)) is None
    assert world.client.status == 400 and aside.done == [True, True] and not world.upstream.calls


async def test_a_request_that_must_be_counted_is_read_once() -> None:
    world = World(shop(context=60_000, safe_context=50_000))
    aside = watched(world)
    front = world.snapshot.catalogue.storefronts["shop"]
    incoming = Incoming(dialect="openai-chat", body=request(messages=MANY), secret=KEY, mount=front)
    opened: list[str] = []

    class Opens:
        def open(self, *said: Any) -> Any:
            opened.append(threading.current_thread().name)
            return CHAT.open(*said)

        def __getattr__(self, name: str) -> Any:
            return getattr(CHAT, name)

    found = await let_in(world.parts, world.snapshot, caller(), front, cast("Dialect", Opens()), incoming)
    assert found.counted is not None and len(opened) == 1 and aside.done == [True]
    await count(world.parts, incoming)
    assert aside.done == [True, True]


async def test_a_panel_s_long_request_is_written_aside_for_each_of_its_sources() -> None:
    roomy = {name: {"context": 990_000, "safe_context": 900_000} for name in ROLES}
    world = World(house(of=roomy), whole("one"), whole("two"), whole("three"), whole("all"))
    aside = watched(world)
    assert await world.run(request(model="shop/flux", messages=MANY, max_tokens=50)) is None
    assert len(world.upstream.calls) >= 2 and len(aside.done) == 1 + len(world.upstream.calls)


async def test_one_at_a_time_and_what_nobody_waits_for_is_not_begun() -> None:
    aside, go, began = Aside(), threading.Event(), threading.Event()
    running: list[str] = []

    def work(name: str) -> str:
        running.append(name)
        began.set()
        go.wait(10)
        return name

    first, second, third = (asyncio.create_task(aside.do(lambda name=name: work(name))) for name in "abc")  # type: ignore[misc]
    await asyncio.to_thread(began.wait, 10)
    second.cancel()
    await asyncio.wait([second])
    assert running == ["a"]
    go.set()
    assert (await first, await third, running) == ("a", "c", ["a", "c"])
    with pytest.raises(ZeroDivisionError):
        await aside.do(lambda: 1 // 0)
