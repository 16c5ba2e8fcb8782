"""Group commit: many steps, one transaction, one wait for the disk.

Law: statements run on the loop's thread, where they only touch memory; what waits for the disk (COMMIT, checkpoints,
jobs) runs on one thread of its own, and never beside a batch; but for the commit of a lone request on a quick disk. A
future is resolved only after COMMIT has returned. A failing disk ends everything under way with StoreError, and
everything after it, until a probe could be written.
"""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Protocol

from conflux.neutral.errors import StoreError
from conflux.stores.queue import Quiet, StepQueue, Steps

_PAGES_PER_CHECKPOINT = 1000
_PAGES_PER_BATCH = 6
_STEPS_PER_PAGE = 4
_BUSY_DELAY = 0.005
_BUSY_PATIENCE = 5.0
_PROBE_DELAY = 0.5
_MOMENT = 0.002  # seconds

Job = Callable[[sqlite3.Connection], Any]


class Book(Steps, Protocol):
    """What the writer writes for; see sqlite_book.py, and there for the meaning of each."""

    @property
    def holds(self) -> Mapping[int, Any]:
        """Of requests under way."""
        ...

    def write(self) -> bool: ...
    def read(self, connection: sqlite3.Connection) -> None: ...
    def forget_budgets(self) -> None: ...
    def sum_up(self, run: sqlite3.Connection, least: int = ...) -> None: ...
    def count_due(self, run: sqlite3.Connection) -> None: ...


class Writer(StepQueue):
    """Belongs to the loop it was made on."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], connection: sqlite3.Connection, book: Book) -> None:
        super().__init__(book)
        self._connect = connect
        self._connection = connection
        self._book = book
        self._blocked_since: float | None = None
        self._pages = 0
        self._took = 0.0  # seconds that the last commit took
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="ledger-disk", daemon=True)
        self._thread.start()

    # -- the loop's thread

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
        if not wrote:
            self._committed(False)
        elif self._is_alone():
            call, *args = self._commit()
            call(*args)
        else:
            self._work.put(lambda: self._tell(*self._commit()))

    def _is_alone(self) -> bool:
        """With no request beside this one, a commit that takes a moment is written at once: to another thread and back
        takes as long."""
        return len(self._batch) == 1 and len(self._book.holds) <= 1 and self._took < _MOMENT

    def _begin_job(self) -> None:
        job, future = self._next_job()
        if not isinstance(job, Quiet):
            self._book.forget_budgets()  # nobody asks for them before the job is done
        self._work.put(lambda: self._do_job(job, future))

    def _idle(self) -> None:
        if self._closed is None:
            self._busy = False
        elif not self._closed.done():
            self._work.put(self._close)

    def _take(self) -> None:
        """Decide the next batch's steps, up to the next job. Refusals are told at once, since they write nothing."""
        while self._items and not self._batch:
            self._batch = self._next()
            if not self._batch:
                return
            self._results = []
            try:
                self._decide()
            except Exception as error:  # noqa: BLE001 edge: whoever waits for the batch is told, as in _flush
                self._spoiled(error)

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
        self._again(batch, error)

    def _committed(self, checkpointing: bool) -> None:
        self._told()
        if not checkpointing:
            # After the callers that were just told, so that what they do next makes up the next batch.
            self._loop.call_soon(self._flush)

    def _broken(self, error: Exception, unknown: bool = False) -> None:
        """The disk fails: nobody is told yes until it has been seen to work again."""
        self._lose(f"the ledger cannot write: {error}", unknown=unknown)
        self._loop.call_later(_PROBE_DELAY, self._mend)

    def _mend(self) -> None:
        self._work.put(self._close if self._closed is not None else self._probe)

    def _mended(self) -> None:
        """Busy all the while, so nothing else has begun."""
        self._blocked_since = None
        self._restored()
        self._loop.call_soon(self._flush)

    def _job_done(self, future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
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
        self._give_up()
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

    def _commit(self) -> tuple[Any, ...]:
        """What the loop's thread has to do then."""
        began = time.perf_counter()
        try:
            self._book.sum_up(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return self._broken, error, self._may_be_written(error)
        self._took = time.perf_counter() - began
        self.batches += 1
        self._pages += _PAGES_PER_BATCH + len(self._batch) // _STEPS_PER_PAGE
        if self._pages < _PAGES_PER_CHECKPOINT:
            return self._committed, False
        self._pages = 0
        self._work.put(self._checkpoint)
        return self._committed, True

    def _checkpoint(self) -> None:
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            self._tell(self._broken, error)
        else:
            self._tell(self._flush)

    def _may_be_written(self, error: sqlite3.Error) -> bool:
        """Of a COMMIT that failed. Where the disk was full, or the transaction is still open, it is not."""
        full = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
        return not full and not self._connection.in_transaction

    def _do_job(self, job: Job, future: "asyncio.Future[Any]") -> None:
        run = self._connection
        try:
            run.execute(f"PRAGMA busy_timeout = {int(_BUSY_PATIENCE * 1000)}").close()
            run.execute("BEGIN IMMEDIATE")
            self._book.sum_up(run, 1)  # so that jobs find every receipt counted
            result = job(run)
            run.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - an edge: whatever a job raises is its caller's
            with contextlib.suppress(sqlite3.Error):
                if run.in_transaction:
                    run.execute("ROLLBACK")
                self._book.count_due(run)
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
        self._complain(f"the ledger cannot write: {error}")
        self._loop.call_later(_PROBE_DELAY, self._mend)

    def _close(self) -> None:
        # Whatever fails here is mended by the next start: the write-ahead log is read again then.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._tell(self._finish)


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _is_fatal(error: Exception) -> bool:
    """Of the disk or the file, rather than of the rows."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
