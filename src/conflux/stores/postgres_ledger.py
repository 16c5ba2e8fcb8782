"""The ledger on a PostgreSQL database that several processes share.

Law: each process is an owner of its own: its holds are its own until it is known to be dead, then anybody's. Opening,
recovering, reading and closing; the rest is ledger.py's.
"""

import contextlib
from collections.abc import Callable
from time import time
from typing import Any, TypeVar

import asyncpg

from conflux.neutral.errors import ConfigError, StoreError
from conflux.stores.ledger import BookLedger, Recovered
from conflux.stores.postgres_book import PostgresBook, Sighting
from conflux.stores.postgres_migrate import migrate_postgres
from conflux.stores.postgres_pulse import LEASE, Pulse
from conflux.stores.postgres_reads import PostgresReaders
from conflux.stores.postgres_run import FAILED, PostgresRun, connect, in_greenlet
from conflux.stores.postgres_verify import examine
from conflux.stores.postgres_writer import PostgresWriter
from conflux.stores.verify import Report

T = TypeVar("T")

OLDEST = 14


class PostgresLedger(BookLedger):
    def __init__(
        self, url: str, run: PostgresRun, book: PostgresBook, now: Callable[[], float], lease: float = LEASE
    ) -> None:
        async def again() -> PostgresRun:
            return PostgresRun(await connect(url, "writer"))

        writer = PostgresWriter(again, run, book)
        super().__init__(book, writer, now)
        self._adopt = writer.adopt
        self._readers = PostgresReaders(url)
        self.heard: Callable[[], None] = lambda: None  # what to do when another process has changed something
        self._url = url
        self._lease = lease
        self._epoch = lambda: book.epoch
        self._pulse: Pulse | None = None

    @classmethod
    async def open(cls, url: str, now: Callable[[], float] = time, lease: float = LEASE) -> "PostgresLedger":
        """Must be called on the loop that will use it. Makes the schema where there is none. Raises StoreError for a
        server that cannot be reached, ConfigError for one that will not do."""
        connection: Any = None
        try:
            connection = await connect(url, "writer")
            check_server(connection)
            await migrate_postgres(connection, url)
            book = PostgresBook(now)
            run = PostgresRun(connection)

            def begin() -> None:
                book.claim(run)
                book.read(run)

            await in_greenlet(begin)
            return cls(url, run, book, now, lease)
        except FAILED as error:
            _close(connection)
            raise _refused(error) from error
        except BaseException:
            _close(connection)
            raise

    async def recover(self) -> Recovered:
        """Of owners that left of themselves at once; the others are watched first. From now on we live too."""

        def gone(run: PostgresRun) -> list[Sighting]:
            return [tuple(row) for row in run.execute("SELECT epoch, beat, batch FROM owner WHERE gone = 1").fetchall()]

        found = await self._end(await self._adopt(await self.read(gone)))
        if self._pulse is None:
            self._pulse = Pulse(self._url, self._lease, self._epoch, lambda: self.heard(), self._end_dead)
        return found

    async def _end_dead(self, dead: list[Sighting]) -> None:
        with contextlib.suppress(StoreError):  # they stay dead: whoever can, does it later
            await self._end(await self._adopt(dead))

    async def aclose(self) -> None:
        if self._pulse is not None:
            await self._pulse.aclose()
        await self._writer.aclose()
        self._readers.close()

    async def verify(self) -> Report:
        return await self._readers.run(examine, snapshot=True)

    async def read(self, query: Callable[[PostgresRun], T]) -> T:
        return await self._readers.run(query)


async def reach(url: str) -> str:
    """What server answers there."""
    try:
        connection = await connect(url, "look")
    except FAILED as error:
        raise _refused(error) from error
    try:
        check_server(connection)
        version = connection.get_server_version()
        return f"PostgreSQL {version.major}.{version.minor}"
    finally:
        await connection.close()


def check_server(connection: Any) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST:
        raise ConfigError([f"database_url: the server is PostgreSQL {version.major}: {OLDEST} or later is needed"])


def _close(connection: Any) -> None:
    if connection is not None:
        connection.terminate()


def _refused(error: BaseException) -> Exception:
    reason = str(error) or type(error).__name__
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return ConfigError([f"database_url: {reason}: give the user the right to make tables in this database"])
    if isinstance(error, ValueError | asyncpg.ClientConfigurationError):
        return ConfigError([f"database_url: {reason}"])
    return StoreError(f"the database named by database_url cannot be opened: {reason}")
