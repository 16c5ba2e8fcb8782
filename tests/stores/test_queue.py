"""Twin of stores/queue.py. What the writers make of it is in test_sqlite_writer.py and test_postgres_writer.py."""

import asyncio
from typing import Any

import pytest

from conflux.neutral.errors import StoreError
from conflux.stores import queue
from conflux.stores.queue import StepQueue


class Steps:
    def __init__(self):
        self.left = []

    def reserve(self, word):
        return word

    def settle(self, word):
        return word

    def lost(self, step, word):
        self.left.append(word)

    def owed(self):
        owed, self.left = self.left, []
        return owed

    def abandoned(self, step, word):
        return f"end of {word}"

    def simpler(self, step, word):
        return None


class Plain(StepQueue):
    """Each batch is kept until it is told."""

    def __init__(self):
        super().__init__(Steps())
        self.seen = []

    def _flush(self):
        self._batch = self._next()
        if self._batch:
            self._results = []
            self._decide()
            self.seen.append([word for _, word, _ in self._batch])
            self._told()
        else:
            job, future = self._next_job()
            future.set_result(job("run"))
            self.seen.append("job")
        self._busy = False
        if self._items:
            self._wake()


async def test_steps_go_together_jobs_alone_and_all_in_order(monkeypatch):
    monkeypatch.setattr(queue, "MOST", 3)
    plain = Plain()
    steps = [plain.put(plain._steps.settle, n) for n in range(4)]
    job = asyncio.ensure_future(plain.run(lambda run: run + " ran"))
    await asyncio.sleep(0)
    more = plain.put(plain._steps.settle, 9)
    assert await asyncio.gather(*steps, job, more) == [0, 1, 2, 3, "run ran", 9]
    assert plain.seen == [[0, 1, 2], [3], "job", [9]]


async def test_what_nobody_waits_for_rides_along():
    plain = Plain()
    plain.put_quietly(plain._steps.settle, "quiet")
    assert plain._later is not None
    assert await plain.put(plain._steps.settle, "loud") == "loud"
    assert plain.seen == [["quiet", "loud"]]
    plain._later.cancel()


async def test_a_caller_who_left_is_cleaned_up_after():
    plain = Plain()
    plain.put(plain._steps.reserve, "one").cancel()
    await plain.put(plain._steps.settle, "two")
    while plain._busy:
        await asyncio.sleep(0)
    assert plain.seen == [["one", "two"], ["end of one"]]


async def test_trouble_refuses_everything_and_what_is_owed_goes_first():
    plain = Plain()
    waiting = plain.put(plain._steps.settle, "early")
    plain._lose("the disk is gone")
    with pytest.raises(StoreError, match="gone"):
        await waiting
    for word in (plain.put(plain._steps.settle, "late"), plain.put(plain._steps.reserve, "never")):
        with pytest.raises(StoreError, match="gone"):
            await word
    with pytest.raises(StoreError, match="gone"):
        await plain.run(lambda run: None)
    plain._restored()
    assert [word for _, word, _ in plain._items] == ["early", "late"]


async def test_a_spoiled_batch_goes_again_one_by_one_and_alone_it_is_refused():
    plain = Plain()
    futures = [plain._loop.create_future() for _ in range(2)]
    batch: Any = [(plain._steps.settle, n, future) for n, future in enumerate(futures)]
    plain._again(batch, ValueError("no"))
    assert plain._next() == batch[:1] and plain._next() == batch[1:]
    plain._again(batch[:1], ValueError("no"))
    with pytest.raises(StoreError, match="cannot write this: no"):
        await futures[0]
    assert plain._items == []


async def test_a_refused_step_whose_caller_left_leaves_nothing_to_clean_up():
    """Its id may be another's."""
    steps = Plain()

    def refuse(word):
        raise StoreError("taken")

    refused = steps.put(refuse, "a")
    refused.cancel()
    assert await steps.put(steps._steps.reserve, "b") == "b"
    await asyncio.sleep(0)
    assert steps.seen == [["a", "b"]] and not steps._items


async def test_who_settles_while_nobody_knows_is_told_when_it_is_known():
    steps = Plain()
    heard: list[str] = []
    steps.alarm = heard.append
    settling, reserving = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
    steps._batch = [(steps._steps.settle, "s", settling), (steps._steps.reserve, "r", reserving)]
    steps._lose("the disk fails", unknown=True)
    steps._complain("the disk still fails")
    assert not settling.done() and isinstance(reserving.exception(), StoreError)
    steps._restored()
    steps._wake()
    assert await settling == "s"
    assert steps.seen == [["s", "r"]], "first what may have been written, then what is owed"
    assert len(heard) == 2 and heard[0].startswith("ALARM: the disk fails") and "writes again" in heard[1]


async def test_an_alarm_is_repeated_now_and_then(monkeypatch):
    steps = Plain()
    heard: list[str] = []
    steps.alarm = heard.append
    monkeypatch.setattr(queue, "_REMIND", 0.0)
    steps._lose("the disk fails")
    steps._complain("the disk still fails")
    assert len(heard) == 2 and heard[1].startswith("ALARM: still, for 0 s: the disk still fails")


async def test_closing_tells_who_never_knew():
    steps = Plain()
    settling = asyncio.get_running_loop().create_future()
    steps._batch = [(steps._steps.settle, "s", settling)]
    steps._lose("the disk fails", unknown=True)
    steps._give_up()
    assert isinstance(settling.exception(), StoreError)
