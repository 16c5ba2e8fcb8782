"""Twin of stores/rows.py."""

import pytest
from msgspec.structs import replace

from conflux.neutral.ledger import Ending
from conflux.neutral.usage import BUCKETS, Usage
from conflux.stores.booking import Claim, Hold, book
from conflux.stores.rows import (
    HOLD,
    REQUEST,
    hold_of,
    hold_row,
    receipt_of,
    request_row,
    usage_of,
    usage_text,
)
from conflux.stores.schema import metadata
from tests.stores.books import full_ending, order


def test_the_columns_are_those_of_the_schema():
    assert list(HOLD) == [one.name for one in metadata.tables["hold"].columns]
    assert list(REQUEST) == [one.name for one in metadata.tables["request"].columns]


def test_the_buckets_lie_in_the_order_of_the_usage():
    at = REQUEST.index(BUCKETS[0])
    assert REQUEST[at : at + len(BUCKETS)] == BUCKETS
    usage = Usage(**{name: place for place, name in enumerate(BUCKETS, 1)})
    assert usage_of(usage_text(usage)) == usage


@pytest.mark.parametrize("simulated", [False, True])
def test_a_hold_comes_back_as_it_was(simulated):
    asked = order(77, input_floor=5, simulated=simulated)
    row = hold_row(asked, 77, 3, 4)
    assert len(row) == len(HOLD)
    assert hold_of((*row, *[None] * 6)) == Hold(asked, 77)
    marked = (*row[:10], 1, 55, usage_text(Usage(output=3)), *row[13:])
    assert hold_of((*marked, *[None] * 6)) == Hold(asked, 77, True, 55, Usage(output=3))
    claim = Claim(1, 2, 30, 4, 5, 60)
    assert hold_of((*row, 1, 2, 30, 4, 5, 60)) == Hold(asked, 77, claim=claim)


def test_a_request_row_has_its_values_in_their_columns():
    hold, end = Hold(order(100), 100, True), full_ending(1)
    row = request_row(hold, end, book(hold, end), 123)
    assert len(row) == len(REQUEST)
    named = dict(zip(REQUEST, row, strict=True))
    assert (named["ended"], named["ending"], named["started"], named["cost"]) == (123, "done", 1, 90)
    assert (named["held"], named["variance"], named["provider_cost"]) == (100, 0, 40)
    assert [named[name] for name in BUCKETS] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (named["status"], named["latency_ms"], named["first_byte_ms"]) == (200, 15, 4)
    assert all(type(value) in (int, str, type(None)) for value in row)


@pytest.mark.parametrize("how", Ending)
def test_a_receipt_gives_back_its_ending(how):
    detail = "[[],[],[],{}]"
    row = (1, 2, 3, "s", "m", None, how.value, "provider", "v", 0, 0, 1, 200, detail, 7, *range(9))
    found = receipt_of(row, [])
    assert found.ending is how and found.simulated and found.usage.search == 8 and found.refunded == 7


@pytest.mark.parametrize("other", [None, 0, 1234])
def test_the_total_that_was_not_charged_comes_back(other):
    end = full_ending(1)
    end = replace(end, calls=(*end.calls[:-1], replace(end.calls[-1], other_cost=other)))
    hold = Hold(order(100), 100, True)
    named = dict(zip(REQUEST, request_row(hold, end, book(hold, end), 123), strict=True))
    columns = ("id", "created", "key_id", "storefront", "requested_model", "served_model", "ending", "provenance",
               "price_version", "cost", "credits", "simulated", "status", "detail")  # fmt: skip
    row = (*(named[one] for one in columns), None, *(named[one] for one in BUCKETS))
    found = receipt_of(row, [(one.target, one.provider_cost, one.upstream_id) for one in end.calls])
    assert found.calls[-1].other_cost == other
    assert all(one.other_cost is None for one in found.calls[:-1])
