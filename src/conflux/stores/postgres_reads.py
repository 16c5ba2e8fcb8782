"""Reading from PostgreSQL beside the writer: a few connections, opened when they are needed.

Law: a read sees what was committed, never what is being decided, and never holds up the writer.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from conflux.neutral.errors import StoreError
from conflux.stores.postgres_run import FAILED, PostgresRows, PostgresRun, connect, in_greenlet, is_gone

T = TypeVar("T")

_MOST = 3


class PostgresReaders:
    def __init__(self, url: str) -> None:
        self._url = url
        self._free: list[PostgresRun] = []
        self._slots = asyncio.Semaphore(_MOST)

    async def run(self, query: Callable[[PostgresRun], T], *, snapshot: bool = False) -> T:
        """`snapshot`: all of the query's statements see the same moment."""
        async with self._slots:
            fresh = not self._free
            try:
                return await self._with(query, snapshot)
            except FAILED as error:
                if not fresh and is_gone(error):
                    self._drop()  # they were opened before the server went away; it may be back
                    with contextlib.suppress(*FAILED):
                        return await self._with(query, snapshot)
                raise StoreError(f"the store cannot be read: {error}") from error

    async def _with(self, query: Callable[[PostgresRun], T], snapshot: bool) -> T:
        run = self._free.pop() if self._free else PostgresRun(await connect(self._url, "reader"))
        try:
            found = await in_greenlet(lambda: _in_snapshot(run, query) if snapshot else query(run))
        except Exception as error:
            if isinstance(error, FAILED):
                run.connection.terminate()
            else:
                self._free.append(run)  # nothing is wrong with the connection
            raise
        except BaseException:
            run.connection.terminate()  # cancelled in the middle of an answer, which the next one must not get
            raise
        self._free.append(run)
        return found

    def _drop(self) -> None:
        while self._free:
            self._free.pop().connection.terminate()

    def close(self) -> None:
        self._drop()


class BlockingRun:
    """Implements sql.Run for a command that has no loop: each statement is waited for."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._run = PostgresRun(self._loop.run_until_complete(connect(url, "command")))
        except FAILED as error:
            self._loop.close()
            raise StoreError(f"the database named by database_url cannot be opened: {error}") from error

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> PostgresRows:
        try:
            return self._loop.run_until_complete(self._run.send(sql, values))
        except FAILED as error:
            raise StoreError(f"the store cannot be read: {error}") from error

    def close(self) -> None:
        self._run.connection.terminate()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def _in_snapshot(run: PostgresRun, query: Callable[[PostgresRun], T]) -> T:
    run.script("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        return query(run)
    finally:
        run.script("ROLLBACK")
