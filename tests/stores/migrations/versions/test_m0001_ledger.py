"""Twin of stores/migrations/versions/m0001_ledger.py."""

import sqlite3

import pytest

from conflux.stores.booking import Account
from conflux.stores.migrate import migrate


@pytest.fixture
def connection(tmp_path):
    found = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(found, "0001")
    yield found
    found.close()


def test_the_accounts_have_the_numbers_the_books_use(connection):
    rows = connection.execute("SELECT id, name FROM account ORDER BY id").fetchall()
    assert rows == [(one.value, one.name.lower()) for one in Account][: len(rows)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET amount = 2",
        "UPDATE entry SET party = 9 WHERE tx = 1",
        "DELETE FROM entry",
        "DELETE FROM entry WHERE tx = 1",
    ],
)
def test_entries_are_never_changed(connection, change):
    connection.execute("INSERT INTO entry VALUES (1, 1, 1, -5), (1, 2, 0, 5)")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(change)
    assert connection.execute("SELECT * FROM entry").fetchall() == [(1, 1, 1, -5), (1, 2, 0, 5)]


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO entry VALUES (1, 1, 1, 0)",
        "INSERT INTO entry VALUES (1, 1, 1, 1.5)",
        "INSERT INTO entry VALUES (1, 1, 1, 'much')",
        "INSERT INTO budget_window VALUES (1, 0, -1, 0)",
        "INSERT INTO budget_window VALUES (1, 0, 0, -1)",
        "INSERT INTO budget (kind, scope_id, period, cap, created) VALUES ('key', 1, 'total', -1, 0)",
        "INSERT INTO meta VALUES (2, 'x', 0, 0, 0)",
    ],
)
def test_rows_that_cannot_be_true_are_refused(connection, row):
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(row)


def test_there_is_no_way_back_from_the_first_schema():
    from conflux.stores.migrations.versions import m0001_ledger

    with pytest.raises(NotImplementedError, match="remove the database"):
        m0001_ledger.downgrade()
