"""The queue before the ledger's writer: steps that go together in batches, jobs that go alone.

Law: what comes while a batch is under way makes up the next one; nothing waits otherwise. Steps and jobs keep their
order. A step happens even if its caller stops waiting. Everything here runs on the loop's thread.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.ledger import Reservation, Settlement

T = TypeVar("T")

MOST = 256
_REMIND = 60.0  # seconds between two words about the same trouble
_REFUSED = object()  # the result of a step that was refused
_CHECKPOINT_DELAY = 0.01  # how long a step that nobody waits for may wait for company

Step = Callable[[Any], Any]
Item = tuple[Step, Any, "asyncio.Future[Any] | None"]


class Quiet:
    """A job that changes nothing anybody remembers (budgets, keys, policies): nobody need read again for it."""

    def __init__(self, job: Callable[[Any], T]) -> None:
        self._job = job

    def __call__(self, run: Any) -> Any:
        return self._job(run)


class Steps(Protocol):
    """What a queue is for; see book.py for the meaning of each."""

    def reserve(self, order: Reservation) -> None: ...
    def settle(self, end: Settlement) -> int: ...
    def lost(self, step: Step, word: Any) -> None: ...
    def owed(self) -> list[Settlement]: ...
    def abandoned(self, step: Step, word: Any) -> Settlement | None: ...
    def simpler(self, step: Step, word: Any) -> Any | None: ...


class StepQueue(ABC):
    """Belongs to the loop it was made on."""

    def __init__(self, book: Steps) -> None:
        self._steps = book
        self._loop = asyncio.get_running_loop()
        self._items: list[Item] = []
        self._jobs = 0  # how many of the items are jobs
        self._batch: list[Item] = []
        self._results: list[Any] = []
        self._busy = False  # a flush is planned, or a batch, job or probe is under way
        self._later: asyncio.TimerHandle | None = None
        self._singly = 0  # how many of the next steps go alone, to find the one that spoils the batch
        self._closed: asyncio.Future[None] | None = None
        self._unknown: list[Item] = []  # settlements of a batch of which nobody knows whether it was committed
        self.trouble: str | None = None
        self.alarm: Callable[[str], None] = lambda text: None  # tells whoever looks after this gateway
        self._troubled = self._reminded = 0.0
        self.batches = 0

    # -- what callers use

    def put(self, step: Step, word: Any, *, hurry: bool = True) -> "asyncio.Future[Any]":
        """Queue a step. It happens even if its caller stops waiting. Without `hurry` as put_quietly does it."""
        future = self._loop.create_future()
        if self.trouble is None and self._closed is None:
            self._items.append((step, word, future))
            if hurry:
                self._wake()
            else:
                self._ride()
        else:
            if step != self._steps.reserve:
                self._steps.lost(step, word)
            future.set_exception(StoreError(self.trouble or "the store is closed"))
        return future

    def put_quietly(self, step: Step, word: Any) -> None:
        """Queue a step that nobody waits for: it rides with others, or goes alone a moment later."""
        if self.trouble is None and self._closed is None:
            self._items.append((step, word, None))
            self._ride()
        else:
            self._steps.lost(step, word)

    async def run(self, job: Callable[[Any], T]) -> T:
        """Run a job in a transaction of its own, after the steps that were queued before it. It
        may change anything but holds."""
        if self.trouble is not None or self._closed is not None:
            raise StoreError(self.trouble or "the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._items.append((take_job, job, future))
        self._jobs += 1
        self._wake()
        return await asyncio.shield(future)

    async def aclose(self) -> None:
        """Write what is queued, then let go of the database."""
        if self._closed is None:
            self._closed = self._loop.create_future()
            self._wake()
        await asyncio.shield(self._closed)

    # -- what writers use

    def _wake(self) -> None:
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)

    @abstractmethod
    def _flush(self) -> None:
        """Begin what is next: a batch, a job, or nothing."""

    def _ride(self) -> None:
        if not self._busy and self._later is None:
            self._later = self._loop.call_later(_CHECKPOINT_DELAY, self._flush_later)

    def _flush_later(self) -> None:
        self._later = None
        if not self._busy:
            self._busy = True
            self._flush()

    def _next(self) -> list[Item]:
        """The next batch's steps, up to the next job; none where a job is next."""
        most = 1 if self._singly else MOST
        if self._jobs:
            most = next((n for n, item in enumerate(self._items[:most]) if item[0] is take_job), most)
        if most:
            self._singly = max(self._singly - 1, 0)
        batch, self._items = self._items[:most], self._items[most:]
        return batch

    def _next_job(self) -> tuple[Any, "asyncio.Future[Any]"]:
        _, job, future = self._items.pop(0)
        assert future is not None, "whoever asks for a job waits for it"
        self._jobs -= 1
        return job, future

    def _decide(self) -> None:
        for step, word, future in self._batch:
            try:
                self._results.append(step(word))
            except (GatewayError, StoreError) as refusal:
                self._results.append(_REFUSED)
                if future is not None and not future.done():
                    future.set_exception(refusal)

    def _told(self) -> None:
        """The batch is on the disk: its callers may know."""
        batch, results = self._batch, self._results
        self._batch, self._results = [], []
        for (step, word, future), result in zip(batch, results, strict=True):
            if future is None:
                continue
            if not future.done():
                future.set_result(result)
            elif future.cancelled() and result is not _REFUSED:
                after = self._steps.abandoned(step, word)
                if after is not None:
                    self._items.append((self._steps.settle, after, None))

    def _again(self, batch: list[Item], error: Exception) -> None:
        """A batch that could not be written goes again, one step at a time; a step that fails alone is refused."""
        again = [item for item in batch if item[2] is None or item[2].cancelled() or not item[2].done()]
        if len(batch) == 1 and again:
            step, word, future = again[0]
            simpler = self._steps.simpler(step, word)
            if simpler is None:
                if future is not None and not future.done():
                    future.set_exception(StoreError(f"the ledger cannot write this: {error}"))
                again = []
            else:
                again = [(step, simpler, future)]
        self._items = again + self._items
        self._singly = max(self._singly, len(again))

    def _complain(self, trouble: str) -> None:
        now = time.monotonic()
        if self.trouble is None:
            self._troubled = self._reminded = now
            self.alarm(
                f"ALARM: {trouble}: requests are refused with 503, and none is free; this ends by itself when the cause"
                " is gone"
            )
        elif now - self._reminded >= _REMIND:
            self._reminded = now
            self.alarm(f"ALARM: still, for {now - self._troubled:.0f} s: {trouble}")
        self.trouble = trouble

    def _lose(self, trouble: str, *, unknown: bool = False) -> None:
        """Nobody is told yes until writing has been seen to work again. `unknown`: the batch may have been committed.
        Then whoever settles waits until that is known: he must not be told no, and pay."""
        self._complain(trouble)
        lost = [*self._batch, *self._items]
        if unknown:
            self._unknown += [one for one in self._batch if one[0] == self._steps.settle and _waiting(one)]
            lost = [one for one in lost if one not in self._unknown]
        for step, word, future in lost:
            self._steps.lost(step, word)
            if future is not None and not future.done():
                future.set_exception(StoreError(trouble))
        self._batch, self._results, self._items, self._jobs = [], [], [], 0

    def _restored(self) -> None:
        """Writing works again: what is owed goes first. What may have been settled is settled once more, which changes
        nothing where it was."""
        if self.trouble is not None:
            self.alarm(f"the ledger writes again, after {time.monotonic() - self._troubled:.1f} s")
        self.trouble = None
        self._items = self._unknown + self._items
        self._unknown = []
        self._items += [(self._steps.settle, end, None) for end in self._steps.owed()]

    def _give_up(self) -> None:
        """Closing: what is not known by now stays so."""
        for _, _, future in self._unknown:
            if future is not None and not future.done():
                future.set_exception(StoreError(self.trouble or "the store is closed"))
        self._unknown = []


def _waiting(item: Item) -> bool:
    return item[2] is not None and not item[2].done()


def take_job(_: Any) -> None:
    """Stands in the queue where a step would, in front of a job."""
