"""How long drafts are waited for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.flux_gather import Gathering


def gathering(sources: int = 3, quorum: int = 2, deadline: float = 60.0, grace: float | None = None) -> Gathering:
    return Gathering(began=100.0, sources=sources, quorum=quorum, deadline=deadline, grace=grace)


WAITS = [(0.5, 2.0), (4.0, 2.0), (10.0, 5.0), (16.0, 8.0), (40.0, 8.0), (57.0, 3.0)]


@pytest.mark.parametrize(("took", "grace"), WAITS)
def test_the_grace_is_half_of_what_the_quorum_took_within_bounds(took: float, grace: float) -> None:
    one = gathering()
    one.ends(101.0 if took > 1 else 100.1, draft=True)
    assert one.left(100 + took) == 60 - took
    one.ends(100 + took, draft=True)
    assert one.left(100 + took) == pytest.approx(grace)
    assert one.left(100 + took + grace) is None


def test_a_failure_is_no_draft_and_where_all_ended_nothing_is_waited_for() -> None:
    one = gathering()
    one.ends(101, draft=False)
    one.ends(102, draft=True)
    assert one.left(102) == 58
    one.ends(103, draft=False)
    assert one.left(103) is None


def test_a_grace_of_its_own_and_never_beyond_the_deadline() -> None:
    one = gathering(grace=30, deadline=20)
    one.ends(101, draft=True)
    one.ends(115, draft=True)
    assert one.left(115) == 5
    none = gathering(grace=0, quorum=1)
    none.ends(101, draft=True)
    assert none.left(101) is None


@given(st.lists(st.tuples(st.floats(0, 70), st.booleans()), min_size=1, max_size=8), st.integers(1, 8))
def test_it_is_over_by_the_deadline_and_never_waits_longer_than_before(
    ends: list[tuple[float, bool]], quorum: int
) -> None:
    one = gathering(sources=len(ends), quorum=min(quorum, len(ends)))
    until = one.until
    for at, draft in sorted(ends):
        one.ends(100 + at, draft=draft)
        assert one.until <= until
        until = one.until
    assert one.left(160) is None
    assert one.left(100.0) is None, "all have ended"
