"""The law of two legs: the first word answers, one answer is paid, both are told, nothing is left running."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.catalogue.catalogue import Catalogue, build
from conflux.neutral.ledger import Ending
from conflux.neutral.money import PriceSheet
from conflux.neutral.usage import Usage
from conflux.routing.health import bucket_of
from tests.relay.answers import COST, USED, Answer, broken, refused, request, streamed, usage, whole
from tests.relay.panels import after, hanging
from tests.relay.shops import PRICE, shop
from tests.relay.world import World

LATE = 2.0


def hedging(targets: int = 2, *, on: bool = True, **fields: Any) -> Catalogue:
    base = shop(targets, of_target={"cost": PriceSheet(input=1_000_000, output=1_000_000)}, **fields)
    pools = [replace(one, hedge=on) for one in base.pools.values()]
    return build(base.storefronts.values(), base.models.values(), pools, base.providers.values())


def ready(catalogue: Catalogue, *answers: Answer, known: bool = True, credit: int = 50) -> World:
    """A gateway that knows what is late, and may say so once."""
    world = World(catalogue, *answers)
    hedge = world.health.hedge("pond")
    for _ in range(credit):
        hedge.asked()
    for stream in (False, True):
        for _ in range(20 if known else 0):
            hedge.waited(bucket_of(100, stream), LATE)
    return world


async def asked(world: World, *, stream: bool = False, late: float = LATE) -> None:
    after(40, lambda: world.clock.pass_by(late))
    assert await world.run(request(stream)) is None
    world.check()


@pytest.mark.parametrize("stream", [False, True])
async def test_who_is_late_is_outrun_and_both_are_on_the_receipt(stream: bool) -> None:
    world = ready(hedging(), hanging(), streamed("hello") if stream else whole())
    await asked(world, stream=stream)
    assert len({call.origin for call in world.upstream.calls}) == 2
    end = world.settled
    assert (end.ending, end.charge, end.usage) == (Ending.DONE, COST, Usage(input=11, output=7))
    late, good = end.calls
    assert (late.status, late.cost, late.provider_cost) == ("cancelled", 0, None)
    assert (late.reason, good.status, good.cost) == ("late: another target answered first", "done", COST)
    assert late.target != good.target
    assert end.provider_cost == good.provider_cost == 18_000


async def test_whoever_was_late_is_known_as_slow_and_not_as_broken() -> None:
    world = ready(hedging(), hanging(), whole())
    await asked(world)
    slow = world.health.of(world.settled.calls[0].target or "")
    assert slow.cost(1, world.clock.ticks, bucket_of(100, False)) >= LATE
    assert (slow.failures, slow.in_flight) == (0, 0)


@pytest.mark.parametrize("turn", [1, -1])
async def test_of_two_answers_at_once_the_client_pays_the_smaller_and_the_house_the_other(turn: int) -> None:
    gate = asyncio.Event()
    both = [whole("long", usage(11, 90)), whole("short", USED)][::turn]
    world = ready(hedging(), *(Answer([gate, *one.pieces]) for one in both))
    after(80, gate.set)
    await asked(world)
    end = world.settled
    assert (end.charge, world.client.json["choices"][0]["message"]["content"]) == (COST, "short")
    other, own = end.calls
    assert (other.status, other.cost, other.provider_cost, other.usage) == (
        "cancelled", 0, 101_000, Usage(input=11, output=90))  # fmt: skip
    assert end.provider_cost == 101_000 + (own.provider_cost or 0)


@pytest.mark.parametrize(
    ("why", "world"),
    [
        ("off", lambda: ready(hedging(on=False), Answer([lambda: None, *whole().pieces]))),
        ("one target", lambda: ready(hedging(1), whole())),
        ("nothing known", lambda: ready(hedging(), whole(), known=False)),
    ],
)
async def test_nobody_else_is_asked(why: str, world: Any) -> None:
    one = world()
    await asked(one)
    assert (len(one.upstream.calls), len(one.settled.calls)) == (1, 1), why


async def test_no_credit_no_second_leg() -> None:
    gate = asyncio.Event()
    world = ready(hedging(), Answer([gate, *whole().pieces]), credit=10)
    after(80, gate.set)
    await asked(world)
    assert len(world.upstream.calls) == 1


async def test_in_time_is_not_late() -> None:
    world = ready(hedging(), whole())
    await asked(world, late=LATE / 2)
    assert len(world.upstream.calls) == 1


async def test_a_second_leg_that_fails_leaves_the_first_to_answer() -> None:
    gate = asyncio.Event()
    world = ready(hedging(3), Answer([gate, *whole().pieces]), refused(500))
    after(80, gate.set)
    await asked(world)
    assert [call.status for call in world.settled.calls] == ["failed", "done"]
    assert (world.client.status, world.settled.charge) == (200, COST)


async def test_a_first_leg_that_fails_leaves_the_second_to_answer() -> None:
    gate, then = asyncio.Event(), asyncio.Event()
    world = ready(hedging(3), Answer([gate, broken("body")]), Answer([then, *whole().pieces]))
    after(80, gate.set)
    after(120, then.set)
    await asked(world)
    assert [call.status for call in world.settled.calls] == ["failed", "done"]
    assert (len(world.upstream.calls), world.client.status) == (2, 200)


async def test_where_both_fail_a_third_is_tried() -> None:
    gate = asyncio.Event()
    world = ready(hedging(3), Answer([gate, broken("body")]), Answer([gate, broken("body")]), whole())
    after(80, gate.set)
    await asked(world)
    assert [call.status for call in world.settled.calls] == ["failed", "failed", "done"]
    assert len({call.origin for call in world.upstream.calls}) == 3


async def test_what_the_request_is_to_blame_for_ends_both() -> None:
    gate = asyncio.Event()
    world = ready(hedging(), Answer([gate]), refused(400))
    await asked(world)
    assert (world.client.status, world.settled.charge) == (400, 0)
    assert [call.status for call in world.settled.calls] == ["failed", "cancelled"]
    assert world.settled.served_model is None


@pytest.mark.parametrize("turns", [5, 30, 60, 70])
async def test_a_client_that_leaves_leaves_nothing_running(turns: int) -> None:
    world = ready(hedging(), hanging(), hanging())
    after(turns, world.client.leave)
    await asked(world)
    assert (world.settled.ending, world.settled.charge) == (Ending.CANCELLED, 0)
    assert len(world.settled.calls) == len(world.upstream.calls)


async def test_a_server_that_stops_leaves_nothing_running() -> None:
    world = ready(hedging(), hanging(), hanging())
    after(90, world.stop)
    await asked(world)
    assert world.settled.charge == 0


async def test_a_stream_is_kept_alive_while_two_are_asked() -> None:
    gate = asyncio.Event()
    world = ready(hedging(), Answer([gate, *streamed("hello").pieces]), hanging())
    after(40, lambda: world.clock.pass_by(LATE))
    after(90, lambda: world.clock.pass_by(16))
    after(150, gate.set)
    assert await world.run(request(stream=True)) is None
    assert "idle" in world.journal
    assert world.client.content == "hello"
    world.check()


def test_the_price_is_the_shops() -> None:
    assert PRICE.input == 1_000_000, "the house pays what the shop takes for a token read"
