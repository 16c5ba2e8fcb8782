"""Facts about targets: how slow, how often failed, shut until when. The clock is a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.health import (
    DECAY,
    EJECTION,
    EJECTION_MOST,
    FAILURES_TO_EJECT,
    PENALTY,
    RETRY_AFTER_MOST,
    UNMEASURED,
    Health,
    HealthBook,
)


def fail(health: Health, times: int, now: float) -> None:
    for _ in range(times):
        health.failed(0.01, now)


def test_nobody_tried_it_yet() -> None:
    health = Health()
    assert health.open(0.0)
    assert health.cost(1) == UNMEASURED


def test_the_first_sample_is_the_latency_and_the_next_moves_it_with_time() -> None:
    health = Health()
    health.succeeded(0.2, 100.0)
    assert health.latency == 0.2
    health.succeeded(0.8, 101.0)
    assert health.latency == 0.8  # up at once
    health.succeeded(0.2, 101.0 + DECAY)
    assert health.latency == pytest.approx(0.2 + 0.6 * math.exp(-1))  # down with time
    before = health.latency
    health.succeeded(0.2, 101.0 + DECAY)
    assert health.latency == pytest.approx(before)  # no time, no forgetting


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30)), min_size=1, max_size=30))
def test_the_latency_stays_between_the_samples(samples: list[tuple[float, float]]) -> None:
    health, now = Health(), 1.0
    for seconds, later in samples:
        now += later
        health.succeeded(seconds, now)
    latencies = [seconds for seconds, _ in samples]
    assert min(latencies) - 1e-9 <= health.latency <= max(latencies) + 1e-9


def test_a_clock_that_goes_back_does_no_harm() -> None:
    health = Health()
    health.succeeded(0.5, 100.0)
    health.succeeded(0.1, 50.0)
    assert health.latency == 0.5


def test_a_fast_failure_counts_as_a_slow_one() -> None:
    health = Health()
    health.succeeded(0.1, 100.0)
    health.failed(0.001, 100.0)
    assert health.latency == PENALTY
    health.failed(30.0, 100.0)
    assert health.latency == 30.0


def test_five_failures_in_a_row_eject_and_a_success_between_starts_anew() -> None:
    health = Health()
    fail(health, FAILURES_TO_EJECT - 1, 100.0)
    assert health.open(100.0)
    health.succeeded(0.1, 100.0)
    fail(health, FAILURES_TO_EJECT - 1, 100.0)
    assert health.open(100.0)
    health.failed(0.1, 100.0)
    assert not health.open(100.0)
    assert not health.open(100.0 + EJECTION - 0.01)
    assert health.open(100.0 + EJECTION)


def test_each_ejection_is_longer_than_the_last_up_to_a_limit_and_success_makes_it_good() -> None:
    health, now, spans = Health(), 0.0, []
    for _ in range(30):
        fail(health, FAILURES_TO_EJECT, now)
        spans.append(health.ejected_until - now)
        now = health.ejected_until
    assert spans[:3] == [EJECTION, 2 * EJECTION, 3 * EJECTION]
    assert spans[-1] == EJECTION_MOST == max(spans)
    health.succeeded(0.1, now)
    fail(health, FAILURES_TO_EJECT, now)
    assert health.ejected_until - now == EJECTION


@pytest.mark.parametrize(
    ("said", "shut_for"),
    [(7.0, 7.0), (RETRY_AFTER_MOST, RETRY_AFTER_MOST), (1e9, RETRY_AFTER_MOST), (0.0, 0.0), (-5.0, 0.0), (None, 0.0)],
)
def test_retry_after_is_honoured_up_to_a_limit(said: float | None, shut_for: float) -> None:
    health = Health()
    health.failed(0.1, 100.0, said)
    assert health.open(100.0 + shut_for)
    assert health.open(100.0) is (shut_for == 0.0)


def test_a_shorter_retry_after_does_not_open_what_is_shut_for_longer() -> None:
    health = Health()
    health.failed(0.1, 100.0, 200.0)
    health.failed(0.1, 101.0, 1.0)
    assert not health.open(299.9)
    assert health.open(300.0)


def test_a_refused_credential_stays_shut_until_it_works_or_is_forgiven() -> None:
    book = HealthBook()
    book.of("a").disabled = "the provider answered 401"
    book.of("b").disabled = "the provider answered 401"
    assert not book.of("a").open(1e9)
    assert book.refused() == {"a": "the provider answered 401", "b": "the provider answered 401"}
    book.of("a").succeeded(0.1, 100.0)
    assert book.of("a").open(100.0)
    book.forgive()
    assert book.refused() == {}
    assert book.of("b").open(100.0)


def test_what_is_under_way_makes_it_dearer_and_weight_cheaper() -> None:
    health = Health()
    health.succeeded(0.5, 1.0)
    for _ in range(3):
        health.began()
    assert health.cost(1) == 2.0
    assert health.cost(4) == 0.5
    assert health.cost(0) == 2.0  # no division by nothing
    health.ended()
    assert health.in_flight == 2


def test_a_name_has_one_record() -> None:
    book = HealthBook()
    assert book.of("a") is book.of("a")
    assert book.of("a") is not book.of("b")


def test_what_is_not_listed_any_more_is_shut_until_it_works_or_is_listed_again() -> None:
    book = HealthBook()
    book.miss({"up/a/cloud": "gone since noon", "up/b/cloud": "gone"})
    assert not book.of("up/a/cloud").open(0.0)
    assert book.missing() == {"up/a/cloud": "gone since noon", "up/b/cloud": "gone"}
    assert book.refused() == {}
    book.forgive()  # of credentials; a list is not changed by looking at it
    assert not book.of("up/a/cloud").open(0.0)
    book.of("up/a/cloud").succeeded(0.1, 1.0)
    assert book.of("up/a/cloud").open(1.0)
    book.miss({"up/a/cloud": "gone again"})
    assert book.missing() == {"up/a/cloud": "gone again"} and book.of("up/b/cloud").open(0.0)
    book.miss({})
    assert book.missing() == {}
