"""Books on a real database of each kind.

Law: a test that takes `books` or `ledger` is run on both. What is about one of them says so by a fixture `kind` of its
own.
"""

import asyncio
import sqlite3
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from conflux.stores.ledger import BookLedger
from conflux.stores.migrate import migrate
from conflux.stores.opening import verify_url
from conflux.stores.postgres_ledger import PostgresLedger
from conflux.stores.postgres_run import connect
from conflux.stores.schema import metadata
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.sqlite_verify import verify
from tests.stores.books import Clock

T = TypeVar("T")


class Books:
    """A database, a clock, and the ledger that has it open."""

    def __init__(self, path: Path, clock: Clock, url: str | None = None) -> None:
        self.path = path
        self.clock = clock
        self.url = url
        self.ledger: BookLedger

    async def open(self) -> BookLedger:
        if self.url is None:
            self.ledger = SqliteLedger.open(self.path, self.clock)
        else:
            self.ledger = await PostgresLedger.open(self.url, self.clock)
        return self.ledger

    async def reopen(self) -> BookLedger:
        await self.ledger.aclose()
        return await self.open()

    def clean(self) -> bool:
        report = verify(self.path) if self.url is None else aside(verify_url(self.url))
        assert report.ok, report
        return True

    async def one(self, query: str, *values: object) -> object:
        row = await self.ledger.read(lambda run: run.execute(query, values).fetchone())
        return row[0] if row is not None and len(row) == 1 else row


def aside(work: Coroutine[Any, Any, T]) -> T:
    """On a loop of its own, for who stands on another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> bytes:
    """A file with the schema and nothing in it: migrating takes longer than most tests here."""
    path = tmp_path_factory.mktemp("empty") / "x.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    connection.close()
    return path.read_bytes()


@pytest.fixture(scope="session")
def migrated_url(postgres_server, postgres_template) -> str:
    """Of a database with the schema. All tests here share it, one after the other."""
    return str(postgres_server.url(postgres_server.database(postgres_template)))


@pytest.fixture
def postgres_url(migrated_url):
    """Of a database with the schema and nothing in it."""
    yield migrated_url
    aside(empty_again(migrated_url))


async def empty_again(url: str) -> None:
    """Quicker than a database for each."""
    connection = await connect(url, "test")
    await connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key
    tables = [table for table in metadata.tables if table not in ("account", "common")]
    numbered = "SELECT table_name FROM information_schema.columns WHERE is_identity = 'YES'"
    names = [row[0] for row in await connection.fetch(numbered)]
    starts = [f"ALTER TABLE {name} ALTER id RESTART" for name in names]
    await connection.execute(
        ";".join([*(f"DELETE FROM {name}" for name in tables), *starts, "UPDATE common SET changes = 0, pepper = NULL"])
    )
    await connection.close()


@pytest.fixture
async def books(tmp_path, clock, kind, request):
    if kind == "postgres":
        found = Books(tmp_path, clock, request.getfixturevalue("postgres_url"))
    else:
        found = Books(tmp_path / "conflux.db", clock)
        found.path.write_bytes(request.getfixturevalue("empty"))
    await found.open()
    yield found
    await found.ledger.aclose()


@pytest.fixture
def ledger(books) -> BookLedger:
    return books.ledger
