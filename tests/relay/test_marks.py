"""A stream is never further ahead of what is written than a killed process may lose."""

import asyncio
from collections.abc import Callable

import pytest

from conflux.neutral.ledger import Checkpoint, Ending
from conflux.relay.marks import MOST_BYTES
from tests.relay.answers import COST, DONE, FINISH, USED, event, request, streamed
from tests.relay.world import World

COUNT = event(choices=[], usage=USED)
Told = Callable[[bool], None]


class Slow:
    """A world whose marks are committed when the test says so."""

    def __init__(self, *sizes: int) -> None:
        self.world = world = World(None, streamed(*("x" * size for size in sizes), end=[FINISH, COUNT, DONE]))
        self.waiting: list[tuple[Checkpoint, Told]] = []
        self.committed = 0
        self.furthest = 0
        world.ledger.commit = lambda mark, told: self.waiting.append((mark, told))  # type: ignore[method-assign]
        push = world.client.push

        def counted(data: bytes) -> bool:
            going = push(data)
            self.furthest = max(self.furthest, len(world.client.content) - self.committed)
            return going

        world.client.push = counted  # type: ignore[method-assign]
        self.task = asyncio.create_task(world.run(request(stream=True)))

    async def stuck(self) -> None:
        """Until nothing moves any more."""
        for _ in range(400):
            await asyncio.sleep(0)

    def answer(self, committed: bool) -> None:
        waiting, self.waiting = self.waiting, []
        for mark, told in waiting:
            if committed:
                self.committed = mark.usage.output * 4
            told(committed)

    async def end(self) -> None:
        assert await self.task is None
        self.world.check()


@pytest.mark.parametrize("sizes", [[100] * 60, [1023, 1, 1, 1], [5000, 5000, 5000], [600] * 9])
async def test_what_is_not_committed_holds_the_answer_back(sizes: list[int]) -> None:
    slow = Slow(*sizes)
    await slow.stuck()
    assert len(slow.world.client.content) <= MOST_BYTES
    assert not slow.task.done()
    while not slow.task.done():
        slow.answer(True)
        await slow.stuck()
    await slow.end()
    assert slow.furthest <= MOST_BYTES
    assert slow.world.client.content == "x" * sum(sizes)
    assert (slow.world.settled.ending, slow.world.settled.charge) == (Ending.DONE, COST)


async def test_a_mark_that_could_not_be_written_is_asked_for_again() -> None:
    slow = Slow(*[100] * 20)
    await slow.stuck()
    delivered = slow.world.client.content
    slow.answer(False)
    await slow.stuck()
    slow.answer(False)
    await slow.stuck()
    assert (slow.waiting, slow.world.client.content) == ([], delivered)
    slow.world.clock.pass_by(0.3)
    await slow.stuck()
    assert len(slow.waiting) == 1
    while not slow.task.done():
        slow.answer(True)
        await slow.stuck()
    await slow.end()
    assert slow.furthest <= MOST_BYTES
    assert slow.world.client.content == "x" * 2000


async def test_the_connection_is_kept_alive_meanwhile() -> None:
    slow = Slow(3000, 10)
    await slow.stuck()
    slow.world.clock.pass_by(16)
    await slow.stuck()
    assert b": wait\n\n" in slow.world.client.body
    assert slow.world.client.content == ""
    slow.answer(True)
    await slow.end()
    assert slow.world.client.content == "x" * 3010


async def test_a_client_that_leaves_meanwhile_pays_for_what_went_out() -> None:
    slow = Slow(1000, 3000, 10)
    await slow.stuck()
    slow.world.client.leave()
    await slow.end()
    assert slow.world.settled.ending is Ending.CANCELLED
    assert slow.world.settled.usage.output == 250


async def test_the_answers_whole_time_counts_meanwhile() -> None:
    slow = Slow(1000, 3000, 10)
    await slow.stuck()
    slow.world.clock.pass_by(10_000)
    await slow.end()
    assert slow.world.settled.ending is Ending.CUT
    assert slow.world.settled.usage.output == 250
    assert slow.world.client.content == "x" * 1000
    assert "error" in slow.world.client.events[-2]


async def test_a_server_that_stops_meanwhile_settles_all_and_then_gives_it() -> None:
    slow = Slow(1000, 3000, 10)
    await slow.stuck()
    slow.world.stop()
    await slow.end()
    assert (slow.world.settled.ending, slow.world.settled.usage.output) == (Ending.CUT, 1000)
    assert slow.world.client.content == "x" * 4000
