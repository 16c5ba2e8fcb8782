"""Twin of stores/sqlite_statements.py."""

import sqlite3
from contextlib import closing

import pytest

from conflux.neutral.reports import FIGURES
from conflux.stores.postgres_statements import TEXTS
from conflux.stores.rows import HOLD, REQUEST, hold_row
from conflux.stores.sqlite_statements import (
    ADD_USUAL_HOLDS,
    ADD_USUAL_REQUESTS,
    SELDOM,
    Many,
    is_usual,
    often,
    usual_hold,
    usual_request,
)
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


def test_a_usual_request_lies_in_the_file_as_any_other(run):
    row = _row()
    assert is_usual(row)
    assert ADD_USUAL_REQUESTS.run(run, [*usual_request(row), *usual_request(_row(id=2))]) == 2
    assert run.execute(f"SELECT {', '.join(REQUEST)} FROM request WHERE id = 1").fetchone() == row


@pytest.mark.parametrize("column", SELDOM)
def test_a_request_with_something_seldom_is_no_usual_one(column):
    assert not is_usual(_row(**{column: 1})) and not is_usual(_row(**{column: -1}))


def test_what_is_often_other_than_0_and_what_seldom_are_all_figures():
    nothing = dict.fromkeys(FIGURES[1:], 0)
    assert not any(often(_row(**nothing)))
    for one in nothing:
        row = _row(**nothing | {one: 7})
        assert (7 in often(row)) is is_usual(row)


def test_a_usual_hold_lies_in_the_file_as_any_other(run):
    row = hold_row(order(77, input_floor=5), 77, 3, 4)
    assert ADD_USUAL_HOLDS.run(run, [*usual_hold(row)]) == 1
    assert run.execute(f"SELECT {', '.join(HOLD)} FROM hold").fetchone() == row
