"""Twin of stores/sqlite_ledger.py: what is its own. The rest is in test_ledger.py."""

import sqlite3

import pytest

from tests.stores.books import ending, order


@pytest.fixture
def kind() -> str:
    return "sqlite"


async def test_a_reader_on_the_file_does_not_hold_up_the_writer(books, ledger):
    other = sqlite3.connect(books.path)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM request").fetchone()
    asked = order(5)
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 5))
    assert other.execute("SELECT count(*) FROM request").fetchone() == (0,)
    other.close()
    assert await ledger.receipt(asked.request_id) is not None
