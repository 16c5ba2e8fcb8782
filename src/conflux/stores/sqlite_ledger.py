"""The ledger on one SQLite file.

Law: one process per file; whoever opens it holds the data directory's lock (data_dir.py). How it is opened, recovered,
read and closed; the rest is ledger.py's.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TypeVar

from conflux.stores.founding import make_known
from conflux.stores.ledger import BookLedger, Recovered
from conflux.stores.migrate import migrate
from conflux.stores.sqlite_book import SqliteBook
from conflux.stores.sqlite_file import connect_writer, unreadable
from conflux.stores.sqlite_reads import Readers
from conflux.stores.sqlite_verify import verify
from conflux.stores.sqlite_writer import Writer
from conflux.stores.verify import Report

T = TypeVar("T")


class SqliteLedger(BookLedger):
    def __init__(self, path: Path, connection: sqlite3.Connection, now: Callable[[], float]) -> None:
        book = SqliteBook(now)
        book.read(connection)
        super().__init__(book, Writer(lambda: connect_writer(path), connection, book), now)
        self._path = path
        self._orphans = book.adopt_orphans
        self._readers = Readers(path)

    @classmethod
    def open(cls, path: Path, now: Callable[[], float] = time) -> "SqliteLedger":
        """Must be called on the loop that will use it. Makes the file and its schema where there are none. Raises
        StoreError for a file that cannot be opened, ConfigError for one of a newer version."""
        try:
            connection = connect_writer(path)
            try:
                migrate(connection)
                claim(connection, int(now() * 1000))
                return cls(path, connection, now)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise unreadable(path, str(error)) from error

    async def recover(self) -> Recovered:
        """Once, before the first request: whoever had the file before is gone, as its lock shows."""
        return await self._end(self._orphans())

    async def aclose(self) -> None:
        await self._writer.aclose()
        self._readers.close()

    async def verify(self) -> Report:
        return await asyncio.get_running_loop().run_in_executor(None, verify, self._path)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await self._readers.run(query)


def claim(connection: sqlite3.Connection, now: int) -> None:
    """Say that the file has a new owner, and give it what every store has."""
    connection.execute("BEGIN IMMEDIATE")
    make_known(connection, now)
    connection.execute("COMMIT")
