"""Twin of neutral/reports.py."""

from conflux.neutral.reports import DIMENSIONS, FIGURES
from conflux.neutral.usage import BUCKETS


def test_figures_hold_every_bucket_once() -> None:
    assert FIGURES[-len(BUCKETS) :] == BUCKETS and len(set(FIGURES)) == len(FIGURES)
    assert len(set(DIMENSIONS)) == len(DIMENSIONS)
