"""Conversations: how they are known, and that they stay where their beginning is cached, while it pays."""

from typing import Any

import pytest

from conflux.neutral.money import PriceSheet
from conflux.relay.conversation import conversation_of
from conflux.routing.places import IDLE
from tests.relay.answers import INPUT, OUTPUT, request
from tests.relay.shops import shop
from tests.relay.test_admit import admitted
from tests.relay.world import Client, World

CACHED = PriceSheet(input=INPUT * 1000, output=OUTPUT * 1000, cache_read=INPUT * 100)
HELLO = {"role": "user", "content": "hello " * 400}
TURNS = [HELLO, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "and then?"}]


def name(**fields: Any) -> bytes | None:
    found = conversation_of(admitted(request(**fields), shop(2, price=CACHED)))
    return found._name if found is not None else None


def test_a_conversation_is_known_by_how_it_began() -> None:
    assert name(messages=TURNS) == name(messages=TURNS[:1])
    assert name(messages=TURNS) != name(messages=[TURNS[2]])
    system = {"role": "system", "content": "be brief"}
    assert name(messages=[system, *TURNS]) == name(messages=[system, HELLO]) != name(messages=TURNS)


def test_or_by_what_its_client_calls_it() -> None:
    assert name(messages=TURNS, prompt_cache_key="a") == name(messages=[TURNS[2]], prompt_cache_key="a")
    assert name(messages=TURNS, prompt_cache_key="a") != name(messages=TURNS, prompt_cache_key="b")


def test_without_a_price_for_cached_tokens_there_is_nothing_to_stay_for() -> None:
    assert conversation_of(admitted(request(messages=TURNS), shop(2))) is None


async def asked(world: World, times: int, **fields: Any) -> list[str]:
    before = len(world.upstream.calls)
    for _ in range(times):
        world.client = Client(world)
        assert await world.run(request(messages=TURNS, **fields)) is None
    world.check()
    return [call.origin for call in world.upstream.calls[before:]]


async def test_it_stays_where_it_was() -> None:
    world = World(shop(4, price=CACHED))
    assert len(set(await asked(world, 12))) == 1
    assert len(set(await asked(World(shop(4)), 12))) > 1  # nothing is cached: the load is spread


@pytest.mark.parametrize("why", ["shut", "full"])
async def test_it_moves_where_it_must(why: str) -> None:
    world = World(shop(2, price=CACHED))
    (home,) = set(await asked(world, 4))
    (target,) = [one for one in world.snapshot.pools["pond"] if one.live.origin == home]
    health = world.health.of(target.key)
    if why == "shut":
        health.ejected_until = world.clock.ticks + 60
    else:
        health.limit = 0.0
    (now,) = set(await asked(world, 4))
    assert now != home
    health.ejected_until, health.limit = 0.0, None
    assert set(await asked(world, 4)) == {now}  # there it is cached by now


async def test_what_was_idle_for_long_may_be_anywhere() -> None:
    world, found = World(shop(4, price=CACHED)), set()
    for _ in range(12):
        world.clock.ticks += IDLE + 1
        found |= set(await asked(world, 1))
    assert len(found) > 1
