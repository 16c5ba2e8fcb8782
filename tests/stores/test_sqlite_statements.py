"""Twin of stores/sqlite_statements.py."""

import sqlite3

import pytest

from conflux.stores.sqlite_statements import Many


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 127, 200])
def test_any_number_of_rows_goes_in_and_out_in_order(count):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b)")
    flat = [value for n in range(count) for value in (n, str(n))]
    assert Many("INSERT INTO t (a, b) VALUES ", "(?,?)").run(connection, flat) == count
    assert connection.execute("SELECT a, b FROM t ORDER BY id").fetchall() == [(n, str(n)) for n in range(count)]
    assert Many("DELETE FROM t WHERE a IN (", "?", ")").run(connection, [*range(count), 999]) == count
    connection.close()
