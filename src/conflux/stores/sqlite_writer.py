"""Group commit: many steps, one transaction, one wait for the disk.

Law: what comes while a commit is under way makes up the next batch; nothing waits otherwise. Statements run on the
loop's thread, where they only touch memory; what waits for the disk (COMMIT, checkpoints, jobs) runs on one thread of
its own, and never beside a batch. A future is resolved only after COMMIT has returned. A failing disk ends everything
under way with StoreError, and everything after it, until a probe could be written.
"""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.ledger import Reservation, Settlement

T = TypeVar("T")

MOST = 256
_PAGES_PER_CHECKPOINT = 1000
_PAGES_PER_BATCH = 6
_STEPS_PER_PAGE = 4
_CHECKPOINT_DELAY = 0.01  # how long a step that nobody waits for may wait for company
_BUSY_DELAY = 0.005
_BUSY_PATIENCE = 5.0
_PROBE_DELAY = 0.5

Step = Callable[[Any], Any]
Item = tuple[Step, Any, "asyncio.Future[Any] | None"]
Job = Callable[[sqlite3.Connection], Any]


class Book(Protocol):
    """What the writer writes for; see sqlite_book.py, and there for the meaning of each."""

    def reserve(self, order: Reservation) -> None: ...
    def settle(self, end: Settlement) -> int: ...
    def write(self) -> bool: ...
    def read(self, connection: sqlite3.Connection) -> None: ...
    def forget_budgets(self) -> None: ...
    def lost(self, step: Step, word: Any) -> None: ...
    def owed(self) -> list[Settlement]: ...
    def abandoned(self, step: Step, word: Any) -> Settlement | None: ...
    def simpler(self, step: Step, word: Any) -> Any | None: ...


class Writer:
    """Belongs to the loop it was made on."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], connection: sqlite3.Connection, book: Book) -> None:
        self._connect = connect
        self._connection = connection
        self._book = book
        self._loop = asyncio.get_running_loop()
        self._items: list[Item] = []
        self._jobs = 0  # how many of the items are jobs
        self._batch: list[Item] = []
        self._results: list[Any] = []
        self._busy = False  # a flush is planned, or a batch, job or probe is under way
        self._later: asyncio.TimerHandle | None = None
        self._blocked_since: float | None = None
        self._singly = 0  # how many of the next steps go alone, to find the one that spoils the batch
        self._pages = 0
        self._closed: asyncio.Future[None] | None = None
        self.trouble: str | None = None
        self.batches = 0
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="ledger-disk", daemon=True)
        self._thread.start()

    # -- what callers use

    def put(self, step: Step, word: Any) -> "asyncio.Future[Any]":
        """Queue a step. It happens even if its caller stops waiting."""
        future = self._loop.create_future()
        if self.trouble is None and self._closed is None:
            self._items.append((step, word, future))
            if not self._busy:
                self._busy = True
                self._loop.call_soon(self._flush)
        else:
            if step != self._book.reserve:
                self._book.lost(step, word)
            future.set_exception(StoreError(self.trouble or "the store is closed"))
        return future

    def put_quietly(self, step: Step, word: Any) -> None:
        """Queue a step that nobody waits for: it rides with others, or goes alone a moment later."""
        if self.trouble is None and self._closed is None:
            self._items.append((step, word, None))
            if not self._busy and self._later is None:
                self._later = self._loop.call_later(_CHECKPOINT_DELAY, self._flush_later)

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction of its own, on the disk's thread, after the steps that were queued before it. It
        may change anything but holds."""
        if self.trouble is not None or self._closed is not None:
            raise StoreError(self.trouble or "the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._items.append((_job, job, future))
        self._jobs += 1
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)
        return await asyncio.shield(future)

    async def aclose(self) -> None:
        """Write what is queued, then let go of the file."""
        if self._closed is None:
            self._closed = self._loop.create_future()
            if not self._busy:
                self._busy = True
                self._loop.call_soon(self._flush)
        await asyncio.shield(self._closed)

    # -- the loop's thread

    def _flush_later(self) -> None:
        self._later = None
        if not self._busy:
            self._busy = True
            self._flush()

    def _flush(self) -> None:
        """Begin what is next: a batch, a job, or nothing."""
        if not self._batch:
            self._take()
            if self.trouble is not None:
                return  # what follows is planned already
            if not self._batch:
                if self._items:
                    self._begin_job()
                else:
                    self._idle()
                return
        try:
            wrote = self._book.write()
        except Exception as error:  # noqa: BLE001 - an edge: one bad step must not take the others with it
            if _is_busy(error) and self._patient():
                self._loop.call_later(_BUSY_DELAY, self._flush)
            elif _is_fatal(error):
                self._broken(error)
            else:
                self._spoiled(error)
                if self.trouble is None:
                    self._loop.call_soon(self._flush)
            return
        self._blocked_since = None
        if wrote:
            self._work.put(self._commit)
        else:
            self._committed(False)

    def _begin_job(self) -> None:
        _, job, future = self._items.pop(0)
        assert future is not None, "whoever asks for a job waits for it"
        self._jobs -= 1
        self._work.put(lambda: self._do_job(job, future))

    def _idle(self) -> None:
        if self._closed is None:
            self._busy = False
        elif not self._closed.done():
            self._work.put(self._close)

    def _take(self) -> None:
        """Decide the next batch's steps, up to the next job. Refusals are told at once, since they write nothing."""
        while self._items and not self._batch:
            most = 1 if self._singly else MOST
            if self._jobs:
                most = next((n for n, item in enumerate(self._items[:most]) if item[0] is _job), most)
                if most == 0:
                    return
            self._singly = max(self._singly - 1, 0)
            self._batch, self._items = self._items[:most], self._items[most:]
            self._results = []
            try:
                self._decide()
            except Exception as error:  # noqa: BLE001 edge: whoever waits for the batch is told, as in _flush
                self._spoiled(error)

    def _decide(self) -> None:
        for step, word, future in self._batch:
            try:
                self._results.append(step(word))
            except (GatewayError, StoreError) as refusal:
                self._results.append(None)
                if future is not None and not future.done():
                    future.set_exception(refusal)

    def _patient(self) -> bool:
        """Someone else is writing to the file, which is not forbidden to a human with a tool."""
        now = time.monotonic()
        if self._blocked_since is None:
            self._blocked_since = now
        return now - self._blocked_since < _BUSY_PATIENCE

    def _spoiled(self, error: Exception) -> None:
        """A step could not be written. Begin again from the file, one step at a time; alone, it fails alone."""
        batch, self._batch = self._batch, []
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._book.read(self._connection)
        except sqlite3.Error as worse:
            self._batch = batch
            self._broken(worse)
            return
        again = [item for item in batch if item[2] is None or item[2].cancelled() or not item[2].done()]
        if len(batch) == 1 and again:
            step, word, future = again[0]
            simpler = self._book.simpler(step, word)
            if simpler is None:
                if future is not None and not future.done():
                    future.set_exception(StoreError(f"the ledger cannot write this: {error}"))
                again = []
            else:
                again = [(step, simpler, future)]
        self._items = again + self._items
        self._singly = max(self._singly, len(again))

    def _committed(self, checkpointing: bool) -> None:
        batch, results = self._batch, self._results
        self._batch, self._results = [], []
        for (step, word, future), result in zip(batch, results, strict=True):
            if future is None:
                continue
            if not future.done():
                future.set_result(result)
            elif future.cancelled():
                after = self._book.abandoned(step, word)
                if after is not None:
                    self._items.append((self._book.settle, after, None))
        if not checkpointing:
            # After the callers that were just told, so that what they do next makes up the next batch.
            self._loop.call_soon(self._flush)

    def _broken(self, error: Exception) -> None:
        """The disk fails: nobody is told yes until it has been seen to work again."""
        self.trouble = f"the ledger cannot write: {error}"
        for step, word, future in [*self._batch, *self._items]:
            self._book.lost(step, word)
            if future is not None and not future.done():
                future.set_exception(StoreError(self.trouble))
        self._batch, self._results, self._items, self._jobs = [], [], [], 0
        self._loop.call_later(_PROBE_DELAY, self._mend)

    def _mend(self) -> None:
        self._work.put(self._close if self._closed is not None else self._probe)

    def _mended(self) -> None:
        """Busy all the while, so nothing else has begun."""
        self.trouble = None
        self._blocked_since = None
        self._items += [(self._book.settle, end, None) for end in self._book.owed()]
        self._loop.call_soon(self._flush)

    def _job_done(self, future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
        self._book.forget_budgets()
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(StoreError(f"the ledger cannot write: {error}") if _is_fatal(error) else error)
        if error is not None and _is_fatal(error):
            self._broken(error)
        else:
            self._loop.call_soon(self._flush)

    def _finish(self) -> None:
        self._work.put(None)
        self._thread.join()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    # -- the disk's thread

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        # The loop may be gone already, where a process ends without closing its store; recovery is for that.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *args)

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._tell(self._broken, error)
            return
        self.batches += 1
        self._pages += _PAGES_PER_BATCH + len(self._batch) // _STEPS_PER_PAGE
        if self._pages < _PAGES_PER_CHECKPOINT:
            self._tell(self._committed, False)
            return
        self._tell(self._committed, True)
        self._pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            self._tell(self._broken, error)
        else:
            self._tell(self._flush)

    def _do_job(self, job: Job, future: "asyncio.Future[Any]") -> None:
        run = self._connection
        try:
            run.execute(f"PRAGMA busy_timeout = {int(_BUSY_PATIENCE * 1000)}").close()
            run.execute("BEGIN IMMEDIATE")
            result = job(run)
            run.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - an edge: whatever a job raises is its caller's
            with contextlib.suppress(sqlite3.Error):
                if run.in_transaction:
                    run.execute("ROLLBACK")
            self._tell(self._job_done, future, None, error)
        else:
            self._tell(self._job_done, future, result, None)
        finally:
            with contextlib.suppress(sqlite3.Error):
                run.execute("PRAGMA busy_timeout = 0").close()

    def _probe(self) -> None:
        """Begin again with a fresh connection: what the old one thinks is on the disk may not be there."""
        try:
            self._connection.close()
            self._connection = self._connect()
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("UPDATE meta SET probes = probes + 1")
            self._connection.execute("COMMIT")
            self._book.read(self._connection)
        except sqlite3.Error as error:
            self._tell(self._still_broken, error)
        else:
            self._tell(self._mended)

    def _still_broken(self, error: Exception) -> None:
        self.trouble = f"the ledger cannot write: {error}"
        self._loop.call_later(_PROBE_DELAY, self._mend)

    def _close(self) -> None:
        # Whatever fails here is mended by the next start: the write-ahead log is read again then.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._tell(self._finish)


def _job(_: Any) -> None:
    """Stands in the queue where a step would, in front of a job."""


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _is_fatal(error: Exception) -> bool:
    """Of the disk or the file, rather than of the rows."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
