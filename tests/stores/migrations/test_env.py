"""Twin of stores/migrations/env.py."""

import sqlite3

import pytest

from conflux.stores import migrate as module
from conflux.stores.booking import Account
from conflux.stores.migrate import migrate, revision_of


def test_all_steps_are_one_transaction(tmp_path):
    """A second connection sees nothing until everything is there."""
    path = tmp_path / "x.db"
    connection, other = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
    seen = []

    def look(action, *_):
        if action == sqlite3.SQLITE_CREATE_TRIGGER:
            seen.append(other.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        return sqlite3.SQLITE_OK

    connection.set_authorizer(look)
    migrate(connection)
    assert set(seen) == {0}
    assert revision_of(other) == module.HEAD
    for one in (connection, other):
        one.close()


def test_it_takes_the_connection_it_is_given(tmp_path):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    assert connection.execute("SELECT count(*) FROM account").fetchone() == (len(Account),)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
