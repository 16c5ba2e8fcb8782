"""Silence: the client is told that its answer is still to come, and nothing else changes by it."""

import asyncio
from collections.abc import Callable

import pytest

from conflux.neutral.ledger import Ending
from tests.relay.answers import (
    COST,
    DONE,
    FINISH,
    ROLE,
    USED,
    Answer,
    Piece,
    broken,
    event,
    refused,
    request,
    said,
    whole,
)
from tests.relay.shops import shop
from tests.relay.world import World

COUNT = event(choices=[], usage=USED)


def silent(seconds: float) -> tuple[World, Callable[[], None]]:
    """A world, and a piece of its upstream's answer during which so much time goes by."""
    world = World(shop(targets=2))
    return world, lambda: world.clock.pass_by(seconds)


async def streamed(world: World, *pieces: Piece) -> World:
    world.upstream.script.insert(0, Answer(list(pieces)))
    assert await world.run(request(stream=True)) is None
    world.check()
    return world


async def test_nobody_speaks_where_the_model_does() -> None:
    world, wait = silent(14)
    await streamed(world, ROLE, wait, said("a"), wait, said("b"), wait, FINISH, COUNT, DONE)
    assert "idle" not in world.journal
    assert world.client.content == "ab"


@pytest.mark.parametrize("place", ["before", "within"])
async def test_a_silence_is_filled_and_the_answer_is_the_same(place: str) -> None:
    world, wait = silent(16)
    before: list[Piece] = [wait] if place != "within" else []
    within: list[Piece] = [wait] if place != "before" else []
    await streamed(world, ROLE, *before, said("a"), *within, said("b"), FINISH, COUNT, DONE)
    assert world.journal.count("idle") == len(before) + len(within)
    assert world.journal.count("begin") == 1
    assert world.client.content == "ab"
    assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)


async def test_what_is_said_meanwhile_is_not_content_so_another_target_may_still_answer() -> None:
    world, wait = silent(16)
    world.upstream.script = [Answer([said("other"), FINISH, COUNT, DONE])]
    await streamed(world, ROLE, wait, broken("body"))
    assert world.client.content == "other"
    assert world.journal.count("begin") == 1
    assert len(world.upstream.calls) == 2


async def test_an_error_after_the_head_is_an_event_of_the_stream_and_costs_nothing() -> None:
    world, wait = silent(16)
    world.upstream.script = [refused(400, "no")]
    await streamed(world, ROLE, wait, broken("body"))
    assert (world.client.status, world.client.ended) == (200, True)
    assert "error" in world.client.events[-2]
    assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)


async def test_nothing_is_said_to_a_client_that_left() -> None:
    world, _ = silent(16)

    def leave() -> None:
        world.clock.pass_by(16)
        world.client.leave()

    await streamed(world, ROLE, leave, said("a"))
    assert "idle" not in world.journal
    assert world.settled.ending is Ending.CANCELLED


async def test_a_client_that_does_not_read_does_not_hold_back_the_settlement(monkeypatch: pytest.MonkeyPatch) -> None:
    world, wait = silent(16)
    reads, waits = world.client.drained, []

    async def drained() -> None:
        waits.append(1)
        if len(waits) == 1:
            await asyncio.Event().wait()
        await reads()

    monkeypatch.setattr(world.client, "drained", drained)
    await streamed(world, ROLE, wait, said("a"), FINISH, COUNT, DONE)
    assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)
    assert world.journal.count("idle") == 1


async def test_a_plain_answer_has_no_words_for_it() -> None:
    world, wait = silent(100)
    world.upstream.script = [Answer([wait, *whole().pieces])]
    assert await world.run(request()) is None
    world.check()
    assert "idle" not in world.journal
    assert world.client.status == 200
