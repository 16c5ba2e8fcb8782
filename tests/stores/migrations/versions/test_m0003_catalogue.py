"""Twin of stores/migrations/versions/m0003_catalogue.py."""

import sqlite3

import pytest

from conflux.stores.migrate import migrate


def test_a_store_of_before_keeps_what_it_has(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(connection, "0002")
    connection.execute("INSERT INTO workspace VALUES (7, 'team', 5)")
    migrate(connection)
    assert connection.execute("SELECT * FROM workspace").fetchall() == [(7, "team", 5)]
    assert connection.execute("SELECT count(*) FROM catalogue_change").fetchone() == (0,)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO catalogue_sighting VALUES ('p', 'list', 'soon', NULL, 'ok', '', '{}', '{}')")
    connection.close()
