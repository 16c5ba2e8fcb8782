"""Twin of stores/sqlite_rows.py."""

import sqlite3

import pytest

from conflux.neutral.ledger import Ending
from conflux.neutral.usage import BUCKETS, Usage
from conflux.stores.booking import Hold, book
from conflux.stores.schema import metadata
from conflux.stores.sqlite_rows import (
    _HOLD,
    _REQUEST,
    Many,
    hold_of,
    hold_row,
    receipt_of,
    request_row,
    usage_of,
    usage_text,
)
from tests.stores.books import full_ending, order


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 127, 200])
def test_any_number_of_rows_goes_in_and_out_in_order(count):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b)")
    flat = [value for n in range(count) for value in (n, str(n))]
    assert Many("INSERT INTO t (a, b) VALUES ", "(?,?)").run(connection, flat) == count
    assert connection.execute("SELECT a, b FROM t ORDER BY id").fetchall() == [(n, str(n)) for n in range(count)]
    assert Many("DELETE FROM t WHERE a IN (", "?", ")").run(connection, [*range(count), 999]) == count
    connection.close()


def test_the_columns_are_those_of_the_schema():
    assert list(_HOLD) == [one.name for one in metadata.tables["hold"].columns]
    assert list(_REQUEST) == [one.name for one in metadata.tables["request"].columns]


def test_the_buckets_lie_in_the_order_of_the_usage():
    at = _REQUEST.index(BUCKETS[0])
    assert _REQUEST[at : at + len(BUCKETS)] == BUCKETS
    usage = Usage(**{name: place for place, name in enumerate(BUCKETS, 1)})
    assert usage_of(usage_text(usage)) == usage


@pytest.mark.parametrize("simulated", [False, True])
def test_a_hold_comes_back_as_it_was(simulated):
    asked = order(77, input_floor=5, simulated=simulated)
    row = hold_row(asked, 77, 3, 4)
    assert len(row) == len(_HOLD)
    assert hold_of(row) == Hold(asked, 77)
    marked = (*row[:10], 1, 55, usage_text(Usage(output=3)), *row[13:])
    assert hold_of(marked) == Hold(asked, 77, True, 55, Usage(output=3))


def test_a_request_row_has_its_values_in_their_columns():
    hold, end = Hold(order(100), 100, True), full_ending(1)
    row = request_row(hold, end, book(hold, end), 123)
    assert len(row) == len(_REQUEST)
    named = dict(zip(_REQUEST, row, strict=True))
    assert (named["ended"], named["ending"], named["started"], named["cost"]) == (123, "done", 1, 90)
    assert (named["held"], named["variance"], named["provider_cost"]) == (100, 0, 40)
    assert [named[name] for name in BUCKETS] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (named["status"], named["latency_ms"], named["first_byte_ms"]) == (200, 15, 4)
    assert all(type(value) in (int, str, type(None)) for value in row)


@pytest.mark.parametrize("how", Ending)
def test_a_receipt_gives_back_its_ending(how):
    detail = "[[],[],[],{}]"
    row = (1, 2, 3, "s", "m", None, how.value, "provider", "v", 0, 0, 1, 200, detail, *range(9))
    found = receipt_of(row, [])
    assert found.ending is how and found.simulated and found.usage.search == 8
