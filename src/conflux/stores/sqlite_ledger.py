"""The ledger on one SQLite file.

Law: implements neutral.ports.Ledger. Deciding is sqlite_book.py's, writing is sqlite_writer.py's; here they are put
together, opened, recovered and closed.
"""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TypeVar

import msgspec

from conflux.neutral.ledger import Checkpoint, Receipt, Reservation, Settlement
from conflux.neutral.records import Scope
from conflux.stores.booking import crashed
from conflux.stores.budget_rows import Standing, put_budget, standing
from conflux.stores.migrate import migrate
from conflux.stores.projections import rebuild
from conflux.stores.rows import ATTEMPTS, RECEIPT, receipt_of
from conflux.stores.sqlite_book import SqliteBook
from conflux.stores.sqlite_file import connect_writer, unreadable
from conflux.stores.sqlite_reads import Readers
from conflux.stores.sqlite_writer import Writer

T = TypeVar("T")


class Recovered(msgspec.Struct, frozen=True):
    """What a dead process had left open."""

    requests: int  # holds that were ended
    started: int  # of those, the ones that are paid for
    charged: int  # nano-USD


class SqliteLedger:
    """One per process and file; whoever opens it holds the data directory's lock (data_dir.py)."""

    def __init__(self, path: Path, connection: sqlite3.Connection, now: Callable[[], float]) -> None:
        self._now = now
        self._book = SqliteBook(now)
        self._book.read(connection)
        self._writer = Writer(lambda: connect_writer(path), connection, self._book)
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

    @property
    def healthy(self) -> bool:
        return self._writer.trouble is None

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written now."""
        return self._writer.trouble

    @property
    def open_requests(self) -> int:
        return len(self._book.holds)

    @property
    def batches(self) -> int:
        """Transactions committed since the start; with the requests, how well commits are shared."""
        return self._writer.batches

    # -- ports.Ledger

    async def reserve(self, order: Reservation) -> None:
        await self._writer.put(self._book.reserve, order)

    async def start(self, request_id: int) -> None:
        await self._writer.put(self._book.start, request_id)

    def checkpoint(self, mark: Checkpoint) -> None:
        self._writer.put_quietly(self._book.checkpoint, mark)

    async def settle(self, end: Settlement) -> int:
        cost: int = await self._writer.put(self._book.settle, end)
        return cost

    async def receipt(self, request_id: int) -> Receipt | None:
        def find(connection: sqlite3.Connection) -> Receipt | None:
            row = connection.execute(RECEIPT, (request_id,)).fetchone()
            return receipt_of(row, connection.execute(ATTEMPTS, (request_id,)).fetchall()) if row else None

        return await self._readers.run(find)

    # -- its life

    async def recover(self) -> Recovered:
        """End what dead processes left open: once, before the first request."""
        holds = self._book.adopt_orphans()
        charged = [await one for one in [self._writer.put(self._book.settle, crashed(hold)) for hold in holds]]
        return Recovered(len(holds), sum(hold.started for hold in holds), sum(charged))

    async def aclose(self) -> None:
        """What was queued is written first."""
        await self._writer.aclose()
        self._readers.close()

    # -- budgets, and what else wants a transaction or a look

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return await self._writer.run(job)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await self._readers.run(query)

    async def set_budget(self, kind: str, owner: int | str, window: str, cap: int | None) -> Scope:
        """Give a scope a budget, or change its cap (None: count only). A storefront is named, the others numbered.
        A new budget counts what its window has seen already."""
        return await self.write(lambda run: put_budget(run, kind, owner, window, cap, int(self._now() * 1000)))

    async def standing(self, scopes: tuple[Scope, ...]) -> list[Standing]:
        """Where each scope's budget stands in the window of now."""
        return await self.read(lambda run: standing(run, scopes, int(self._now() * 1000)))

    async def rebuild(self) -> int:
        """Make every projection anew from entries and holds; how many rows were wrong."""
        return await self.write(rebuild)


def claim(connection: sqlite3.Connection, now: int) -> None:
    """Say that the file has a new owner, and give it what every store has. `now`: in milliseconds; people are dated in
    seconds."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT OR IGNORE INTO meta VALUES (1, ?, ?, 0, 0)", (str(uuid.uuid4()), now))
    connection.execute("INSERT OR IGNORE INTO workspace VALUES (1, 'default', ?)", (now // 1000,))
    connection.execute("INSERT OR IGNORE INTO app_user VALUES (1, 1, 'default', ?)", (now // 1000,))
    connection.execute("INSERT OR IGNORE INTO user_role VALUES (1, 'owner')")
    connection.execute("UPDATE meta SET owner_epoch = owner_epoch + 1")
    connection.execute("COMMIT")
