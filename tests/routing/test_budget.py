"""Retries are a share of the requests and a floor, in any window."""

from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.budget import FLOOR, SHARE, WINDOW, RetryBudget


def test_the_floor_is_there_without_traffic_and_no_more() -> None:
    budget = RetryBudget()
    assert sum(budget.retry(50.0) for _ in range(1000)) == FLOOR * WINDOW
    assert not budget.retry(50.0 + WINDOW - 1)
    assert budget.retry(50.0 + WINDOW)  # the window is over


def test_traffic_buys_its_share() -> None:
    budget = RetryBudget()
    for _ in range(1000):
        budget.request(50.0)
    assert sum(budget.retry(51.0) for _ in range(1000)) == FLOOR * WINDOW + SHARE * 1000


def test_a_clock_that_goes_back_keeps_the_count() -> None:
    budget = RetryBudget()
    budget.request(50.0)
    budget.request(49.0)
    assert budget.requests == 2


@given(st.lists(st.tuples(st.floats(0, 4), st.booleans()), max_size=300))
def test_no_window_has_more_than_it_may(steps: list[tuple[float, bool]]) -> None:
    budget, now = RetryBudget(), 1000.0
    requests: list[int] = []
    retries: list[int] = []
    budget.retries = budget._retries[int(now) % WINDOW] = FLOOR * WINDOW - 1  # so that the limit is near
    retries += [int(now)] * budget.retries
    budget._now = int(now)
    for later, again in steps:
        now += later
        if not again:
            budget.request(now)
            requests.append(int(now))
        elif budget.retry(now):
            retries.append(int(now))
        recent = int(now) - WINDOW
        assert budget.requests == sum(one > recent for one in requests)
        assert budget.retries == sum(one > recent for one in retries)
        assert budget.retries <= SHARE * budget.requests + FLOOR * WINDOW
