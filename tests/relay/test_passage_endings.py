"""Every way out: at each point where the gateway waits, the client leaves, the server stops, or both.

Law: whatever happens where, the request is settled once, nobody pays for what did not go out, what went out is paid,
the upstream is let go, and a client that is still there is told how it ended.
"""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from conflux.neutral.errors import StoreError
from conflux.neutral.ledger import Ending, request_id_text
from tests.policy.samples import caller, policy
from tests.relay.answers import (
    COST,
    DONE,
    FINISH,
    INPUT,
    OUTPUT,
    Answer,
    broken,
    refused,
    request,
    said,
    streamed,
    whole,
)
from tests.relay.shops import shop
from tests.relay.world import KEY, World

# Rate limits that refuse nothing: `check` looks whether every slot was given back.
LIMITED = caller(policies=(policy(concurrent=1, requests_per_minute=5, tokens_per_minute=10**6),))


def plain() -> World:
    return World(None, whole("hello there"))


def stream() -> World:
    return World(None, streamed("hel", "lo", " there"))


def slow_reader() -> World:
    world = stream()
    world.client.slow = True
    return world


def compat() -> World:
    return World(shop(of_provider={"lane": "compat"}), streamed("hel", "lo", " there"))


def second_target() -> World:
    return World(shop(2), refused(500), streamed("hel", "lo"))


def second_credential() -> World:
    two = shop(of_provider={"credentials": ("env:A", "env:B")})
    return World(two, refused(401), streamed("hel", "lo"))


def none_left() -> World:
    return World(shop(2), Answer(fault=broken()), refused(429, headers=[(b"retry-after", b"7")]))


def drained() -> World:
    return World(shop(of_provider={"drain": True}), streamed("hel", "lo", " there"))


def cut() -> World:
    return World(None, streamed("hel", "lo", end=[broken("body")]))


def long() -> World:
    return World(None, streamed("x" * 600, "y" * 600, "z" * 10, end=[FINISH, DONE]))


SCENES: dict[str, tuple[Callable[[], World], bool]] = {
    "plain": (plain, False),
    "stream": (stream, True),
    "slow reader": (slow_reader, True),
    "compat": (compat, True),
    "second target": (second_target, True),
    "second credential": (second_credential, True),
    "none left": (none_left, False),
    "drained": (drained, True),
    "cut": (cut, True),
    "long": (long, True),
}


def leave(world: World) -> None:
    world.client.leave()


def stop(world: World) -> None:
    world.stop()


def leave_and_stop(world: World) -> None:
    world.client.leave()
    world.stop()


def stop_and_leave(world: World) -> None:
    world.stop()
    world.client.leave()


DISTURBANCES = [leave, stop, leave_and_stop, stop_and_leave]


async def runs(scene: str, disturb: Callable[[World], None], *, lossy: bool) -> Iterator[World]:
    """The scene once for each point it has, disturbed there."""
    make, streams = SCENES[scene]
    calm = make()
    assert await calm.run(request(streams)) is None
    calm.check()
    found = []
    for place in range(calm.points):
        world = make()
        world.keys.callers[KEY] = LIMITED
        world.ledger.lossy = lossy
        world.at = place
        world.disturb = lambda world=world: disturb(world)  # type: ignore[misc]
        assert await world.run(request(streams)) is None, place
        found.append(world)
    assert len(found) > 4
    return iter(found)


@pytest.mark.parametrize("lossy", [False, True], ids=["written all the same", "lost with its caller"])
@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("scene", SCENES)
async def test_each_way_out(scene: str, disturb: Callable[[World], None], lossy: bool) -> None:
    for world in await runs(scene, disturb, lossy=lossy):
        place = world.at
        world.check()
        reserved = bool(world.ledger.reserved)
        assert len(world.ledger.settled) == (1 if reserved else 0), place
        if reserved:
            judge_bill(world)
        if world.client.gone:
            continue
        # who is still there is told, once: the whole answer, a refusal, or what broke off
        assert world.client.ended, place
        if world.client.status == 200 and world.settled.ending is not Ending.DONE:
            assert world.client.events[-1] == "DONE", place
            assert "error" in world.client.events[-2], place


def judge_bill(world: World) -> None:
    end = world.settled
    began = "begin" in world.journal
    out = sum(one.content_bytes for one in world.upstream.opened)
    counted = any(b'"prompt_tokens"' in one.given for one in world.upstream.opened)
    if end.ending is Ending.FAILED or end.usage.total == 0:
        assert end.charge == 0
        assert not began
    elif counted:
        assert end.charge == COST
    else:
        # what the upstream itself says it wrote, four bytes to a token
        assert end.usage.output == -(-out // 4)
        assert end.charge == end.usage.input * INPUT + end.usage.output * OUTPUT
    if world.client.gone and not began and any(body.get("stream") for body in world.upstream.bodies):
        assert end.charge == 0  # who left before the first byte has not bought the rest
    # content that reached the client is paid
    if world.client.content if began else world.client.status == 200:
        assert end.charge > 0


# --- what each disturbance means, said once in words


async def test_a_client_that_left_before_anything_was_sent_costs_no_call() -> None:
    world = plain()
    world.client.leave()
    assert await world.run(request()) is None
    world.check()
    assert world.journal == ["reserved", "settled"]
    assert (world.settled.ending, world.settled.charge, world.settled.status) == (Ending.CANCELLED, 0, 499)


async def test_a_client_that_leaves_a_stream_pays_what_went_out_and_the_upstream_is_let_go() -> None:
    world = World(None, streamed("hello", end=[]))
    world.upstream.script = [streamed(end=[said("hello"), world.client.leave, said(" never read"), FINISH, DONE])]
    assert await world.run(request(stream=True)) is None
    world.check()
    assert world.settled.ending is Ending.CANCELLED
    assert world.upstream.opened[0].closed
    assert "finish" not in world.journal


async def test_a_drained_upstream_is_read_to_its_end_for_a_client_that_left() -> None:
    world = drained()
    world.upstream.script = [streamed("hel", end=[world.client.leave, said("lo"), *streamed().pieces[1:]])]
    assert await world.run(request(stream=True)) is None
    world.check()
    assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)


async def test_a_server_that_stops_tells_a_waiting_client_to_try_again() -> None:
    world = plain()
    world.upstream.script = [Answer([world.stop, *whole().pieces])]
    assert await world.run(request()) is None
    world.check()
    assert world.client.status == 503
    assert world.client.text[b"retry-after"] == b"2"
    assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)


async def test_a_server_that_stops_within_a_stream_says_that_it_is_not_all() -> None:
    world = World(None)
    world.upstream.script = [streamed("hello", end=[world.stop, said(" there"), FINISH, DONE])]
    assert await world.run(request(stream=True)) is None
    world.check()
    assert world.client.events[-2]["error"]["code"] == "upstream_error"
    assert world.settled.ending is Ending.CUT
    assert world.settled.calls[0].reason == "the gateway is restarting: try again"
    target = next(iter(world.snapshot.pools["pond"])).key
    assert world.health.of(target).failures == 0  # it was not the target's fault


async def test_whoever_cancels_a_ledger_that_died_is_not_asked_for_ever() -> None:
    world = plain()

    async def dead(_: object) -> int:
        raise asyncio.CancelledError

    world.ledger.settle = dead  # type: ignore[method-assign, assignment]
    assert await world.run(request()) is None
    assert world.client.status == 503


async def test_a_stop_while_a_key_is_looked_up_ends_it_at_once() -> None:
    world = plain()

    async def find(secret: str) -> None:
        await world.point()

    world.keys.cold.add("sh_key")
    world.keys.find = find  # type: ignore[method-assign]
    world.at, world.disturb = 0, world.stop
    assert await world.run(request()) is None
    world.check()
    assert world.journal == ["cancelled"]


async def test_a_reservation_that_was_lost_with_the_stop_is_told_as_a_refusal() -> None:
    world = plain()
    world.ledger.lossy = True
    world.ledger.failures["settled"] = StoreError("never reserved")
    world.at, world.disturb = 0, world.stop
    assert await world.run(request()) is None
    assert world.client.status == 503


# --- an id that somebody else has


@pytest.mark.parametrize("stream", [False, True])
async def test_a_taken_id_is_drawn_again_and_the_new_one_is_the_answers(stream: bool) -> None:
    world = World(None, streamed("hello") if stream else whole())
    world.ledger.taken = 2
    await world.run(request(stream))
    world.check()
    assert world.client.status == 200
    drawn = [order.request_id for order in world.ledger.reserved]
    assert len(set(drawn)) == 3
    assert list(world.ledger.settled) == drawn[2:]
    assert world.client.text[b"x-request-id"] == request_id_text(drawn[2]).encode()
    assert b"x-request-id: " + world.client.text[b"x-request-id"] in world.upstream.calls[0].tail


async def test_where_every_id_is_taken_nothing_is_sent_and_nothing_settled() -> None:
    world = World()
    world.ledger.taken = 99
    await world.run(request())
    world.check()
    assert (world.client.status, world.upstream.calls, world.ledger.asked) == (503, [], [])
