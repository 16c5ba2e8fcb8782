"""Twin of stores/sqlite_statements.py."""

import sqlite3
from contextlib import closing

import pytest

from conflux.stores.booking import Booked, legs
from conflux.stores.postgres_statements import TEXTS
from conflux.stores.rows import HOLD, REQUEST, hold_row
from conflux.stores.sqlite_statements import ADD_HOLDS, ADD_POSTINGS, ADD_REQUESTS, SELDOM, Many
from tests.stores.books import order


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 127, 200])
def test_any_number_of_rows_goes_in_and_out_in_order(count):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b)")
    flat = [value for n in range(count) for value in (n, str(n))]
    assert Many("INSERT INTO t (a, b) VALUES ", "(?,?)").run(connection, flat) == count
    assert connection.execute("SELECT a, b FROM t ORDER BY id").fetchall() == [(n, str(n)) for n in range(count)]
    assert Many("DELETE FROM t WHERE a IN (", "?", ")").run(connection, [*range(count), 999]) == count
    connection.close()


@pytest.fixture
def run(empty):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(empty)
        yield connection


def _row(**changed):
    values = {one: place for place, one in enumerate(REQUEST, 1)} | dict.fromkeys(SELDOM, 0)
    texts = {one: one for one in TEXTS if one in REQUEST}
    return tuple((values | texts | changed)[one] for one in REQUEST)


def _requests(run):
    return run.execute(f"SELECT {', '.join(REQUEST)} FROM request ORDER BY id").fetchall()


def test_usual_requests_lie_in_the_file_as_they_were_said(run):
    flat = [*_row(), *_row(id=2)]
    said = list(flat)
    assert ADD_REQUESTS.run(run, flat) == 2
    assert _requests(run) == [_row(), _row(id=2)] and flat == said


@pytest.mark.parametrize("column", SELDOM)
def test_one_with_something_seldom_is_said_in_full_and_so_are_those_beside_it(run, column):
    rows = [_row(), _row(id=2, **{column: 7}), _row(id=3)]
    assert ADD_REQUESTS.run(run, [value for row in rows for value in row]) == 3
    assert _requests(run) == rows


@pytest.mark.parametrize("tags", [{}, {"a": "b"}])
def test_a_hold_lies_in_the_file_as_it_was_said(run, tags):
    row = hold_row(order(77, input_floor=5, tags=tags), 77, 3, 4)
    assert ADD_HOLDS.run(run, list(row)) == 1
    assert run.execute(f"SELECT {', '.join(HOLD)} FROM hold").fetchone() == row


@pytest.mark.parametrize("count", [1, 3, 64, 100])
def test_postings_show_the_entries_of_any_settlement(run, count):
    settled = [(tx, 5 + tx % 2, Booked(9 + tx, 9 + tx, 0, 4 + tx, True)) for tx in range(1, count + 1)]
    rows = [value for tx, key, one in settled for value in (tx, key, one.paid, one.provider_cost)]
    assert ADD_POSTINGS.run(run, rows) == count
    found = run.execute("SELECT tx, account, party, amount FROM every_entry ORDER BY tx, account").fetchall()
    assert [value for row in found for value in row] == [value for one in settled for value in legs(*one)]
