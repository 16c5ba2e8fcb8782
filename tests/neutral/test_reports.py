"""Twin of neutral/reports.py."""

from conflux.neutral.ledger import ID_CHANCES, new_request_id
from conflux.neutral.reports import DIMENSIONS, FIGURES, Span
from conflux.neutral.usage import BUCKETS


def test_figures_hold_every_bucket_once() -> None:
    assert FIGURES[-len(BUCKETS) :] == BUCKETS and len(set(FIGURES)) == len(FIGURES)
    assert len(set(DIMENSIONS)) == len(DIMENSIONS)


def test_a_span_of_days_holds_the_ids_of_its_days() -> None:
    first, last = Span(20_776, 20_776).ids
    moment = 20_776 * 86_400
    assert first == new_request_id(moment, 0) <= new_request_id(moment + 86_399.999, ID_CHANCES - 1) <= last
    assert last == new_request_id(moment + 86_400, 0) - 1
    assert Span(0, 3_000_000).ids[1] < 1 << 63
