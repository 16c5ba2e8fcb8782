"""Twin of stores/migrations/versions/m0015_postings.py."""

import sqlite3

import pytest

from conflux.stores.booking import Account, Booked, legs
from conflux.stores.migrate import migrate

_EVERY = "SELECT tx, account, party, amount FROM every_entry ORDER BY tx, account"


@pytest.fixture
def connection(tmp_path):
    found = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(found, "0014")
    found.execute("INSERT INTO entry VALUES (1, 1, 1, -5), (1, 2, 0, 5)")
    migrate(found, "0015")
    found.execute("INSERT INTO posting VALUES (2, 7, 40, 30)")
    yield found
    found.close()


def test_entries_of_before_and_postings_are_seen_together(connection):
    posted = legs(2, 7, Booked(40, 40, 0, 30, True))
    assert connection.execute(_EVERY).fetchall() == [
        (1, Account.CUSTOMER, 1, -5),
        (1, Account.REVENUE, 0, 5),
        *(posted[at : at + 4] for at in range(0, 16, 4)),
    ]


@pytest.mark.parametrize("change", ["UPDATE posting SET paid = 41", "DELETE FROM posting"])
def test_postings_are_never_changed(connection, change):
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(change)


@pytest.mark.parametrize("row", ["(2, 7, 1, 1)", "(3, 7, 0, 1)", "(3, 7, 1, 0)", "(3, 7, 1.5, 1)", "(3, 7, -1, 1)"])
def test_postings_that_cannot_be_true_are_refused(connection, row):
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"INSERT INTO posting VALUES {row}")
