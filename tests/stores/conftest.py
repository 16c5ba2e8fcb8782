"""Books on a real file."""

import sqlite3
from pathlib import Path

import pytest

from conflux.stores.migrate import migrate
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.verify import verify
from tests.stores.books import Clock


class Books:
    """A file, a clock, and the ledger that has it open."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.ledger: SqliteLedger

    def open(self) -> SqliteLedger:
        self.ledger = SqliteLedger.open(self.path, self.clock)
        return self.ledger

    async def reopen(self) -> SqliteLedger:
        await self.ledger.aclose()
        return self.open()

    def clean(self) -> bool:
        report = verify(self.path)
        assert report.ok, report
        return True

    async def one(self, query: str, *values: object) -> object:
        row = await self.ledger.read(lambda run: run.execute(query, values).fetchone())
        return row[0] if row is not None and len(row) == 1 else row


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> bytes:
    """A file with the schema and nothing in it: migrating takes longer than most tests here."""
    path = tmp_path_factory.mktemp("empty") / "x.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    connection.close()
    return path.read_bytes()


@pytest.fixture
async def books(tmp_path, clock, empty):
    found = Books(tmp_path / "conflux.db", clock)
    found.path.write_bytes(empty)
    found.open()
    yield found
    await found.ledger.aclose()


@pytest.fixture
def ledger(books) -> SqliteLedger:
    return books.ledger
