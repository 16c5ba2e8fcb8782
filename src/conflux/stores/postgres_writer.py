"""Group commit on PostgreSQL: one connection, one batch at a time.

Law: a future is resolved only after COMMIT has returned. Where the server goes away, callers wait a moment for it to
come back; the batch under way is then known by its number to be committed or not. Who waits longer is refused with
StoreError, and so is everybody after, until the server is back. Nothing is ever answered for free.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncpg

from conflux.neutral.errors import StoreError
from conflux.stores.booking import Hold
from conflux.stores.postgres_book import Fenced, PostgresBook, Sighting
from conflux.stores.postgres_run import FAILED, PostgresRun, in_greenlet, is_gone
from conflux.stores.postgres_statements import BEGIN_JOB, CHANNEL
from conflux.stores.queue import Item, Quiet, StepQueue

_PATIENCE = 2.0
_DELAY = 0.1

Connect = Callable[[], Awaitable[PostgresRun]]


class PostgresWriter(StepQueue):
    def __init__(self, connect: Connect, run: PostgresRun, book: PostgresBook, patience: float = _PATIENCE) -> None:
        super().__init__(book)
        self._connect = connect
        self._run = run
        self._book = book
        self._patience = patience
        self._task: asyncio.Task[None] | None = None
        self._committing = False  # COMMIT was sent, or is about to be

    def _flush(self) -> None:
        self._task = self._loop.create_task(self._serve())

    async def _serve(self) -> None:
        """Until nothing is left to do."""
        while True:
            if self._items:
                self._batch = self._next()
                if self._batch:
                    await self._do_batch()
                else:
                    await self._do_job(*self._next_job())
                # Callers that were just told come first, so that what they do next makes up the next batch.
                await asyncio.sleep(0)
            elif self._closed is not None:
                await self._close(self._closed)
                return
            else:
                self._busy = False
                return

    # -- batches

    async def _do_batch(self) -> None:
        before = self._book.batch
        self._committing = False
        try:
            wrote = await in_greenlet(self._transact)
        except Exception as error:  # noqa: BLE001 - an edge: one bad step must not take the others with it
            if is_gone(error) or isinstance(error, Fenced):
                await self._reach(error, before + 1)
            else:
                await self._spoiled(error)
            return
        self.batches += wrote
        self._told()

    def _transact(self) -> bool:
        self._results = []
        self._book.begin(self._batch)
        self._decide()
        wrote = self._book.write()
        self._committing = wrote
        self._run.script("COMMIT" if wrote else "ROLLBACK")
        self._book.batch += wrote
        return wrote

    async def _spoiled(self, error: Exception) -> None:
        """A step could not be written. Begin again from the database, one step at a time."""
        batch, self._batch = self._batch, []
        try:
            await in_greenlet(self._read_again)
        except FAILED as worse:
            self._items = _waited_for(batch) + self._items
            await self._reach(worse, None)
            return
        if len(batch) == 1 and _raced(error, batch[0][0] == self._book.reserve):
            self._items = _waited_for(batch) + self._items
        else:
            self._again(batch, error)

    def _read_again(self) -> None:
        self._run.script("ROLLBACK")
        self._book.read(self._run)

    # -- jobs

    async def _do_job(self, job: Callable[[PostgresRun], Any], future: "asyncio.Future[Any]") -> None:
        try:
            result = await in_greenlet(lambda: self._work(job))
        except Exception as error:  # noqa: BLE001 - an edge: whatever a job raises is its caller's
            ours = isinstance(error, FAILED) and not isinstance(error, ValueError)
            if not future.done():
                future.set_exception(StoreError(f"the ledger cannot write: {error}") if ours else error)
            try:
                if is_gone(error):
                    raise
                await in_greenlet(lambda: self._run.script("ROLLBACK"))
            except FAILED as worse:
                await self._reach(worse, None)
        else:
            if not future.done():
                future.set_result(result)

    def _work(self, job: Callable[[PostgresRun], Any]) -> Any:
        self._run.script(BEGIN_JOB)
        result = job(self._run)
        if not isinstance(job, Quiet):
            self._run.execute("UPDATE common SET changes = changes + 1")
            self._run.execute("SELECT pg_notify(?, ?)", (CHANNEL, str(self._book.epoch)))
        self._run.script("COMMIT")
        return result

    async def adopt(self, dead: Iterable[Sighting]) -> list[Hold]:
        """What dead owners left open is ours from now on."""

        def job(run: PostgresRun) -> list[Hold]:
            return self._book.adopt(dead)

        found = await self.run(job)
        self._book.holds.update((hold.order.request_id, hold) for hold in found)
        return found

    # -- the server is gone

    async def _reach(self, error: BaseException, number: int | None) -> None:
        """Find the server again. `number`: of the batch under way, if there is one."""
        end = time.monotonic() + self._patience
        while True:
            try:
                committed = await self._reconnect()
            except FAILED as worse:
                error = worse
            else:
                break
            if self.trouble is None and (time.monotonic() > end or self._closed is not None):
                self._lose(f"the database cannot be reached: {error}", unknown=self._committing)
            elif self.trouble is not None:
                self._complain(f"the database cannot be reached: {error}")
            if self._closed is not None:
                return  # there is nothing left to write, and nobody to write it for
            await asyncio.sleep(_DELAY)
        batch, self._batch = self._batch, []
        if number is not None and committed == number:
            self._batch = batch
            self.batches += 1
            self._told()
        else:
            self._items = _waited_for(batch) + self._items
        self._restored()

    async def _reconnect(self) -> int | None:
        self._run.connection.terminate()
        self._run = await self._connect()
        return await in_greenlet(lambda: self._book.read(self._run))

    async def _close(self, closed: "asyncio.Future[None]") -> None:
        self._give_up()
        # Whatever fails here is mended by the others: who does not move is taken for dead.
        with contextlib.suppress(*FAILED):
            await in_greenlet(self._book.leave)
            await self._run.connection.close(timeout=5)
        self._run.connection.terminate()
        closed.set_result(None)


def _raced(error: Exception, reserving: bool) -> bool:
    """Another process was quicker: what was refused for that is decided anew."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return reserving  # the id is found to be taken then
    return isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError)


def _waited_for(batch: list[Item]) -> list[Item]:
    """Without those that were refused already."""
    return [item for item in batch if item[2] is None or item[2].cancelled() or not item[2].done()]
