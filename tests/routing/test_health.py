"""Facts about targets: how slow, how often failed, shut until when, back by which request. The clock is a number."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.health import (
    BACKOFF_MOST,
    CALM,
    DECAY,
    EJECTION,
    EJECTION_MOST,
    FAILURES_TO_EJECT,
    JITTER,
    LAST_RESORTS,
    LIMIT_CUT,
    LIMIT_MEMORY,
    PENALTY,
    PROBE_PATIENCE,
    PROBE_SLOWNESS,
    RETRY_AFTER_MOST,
    SILENCE,
    UNMEASURED,
    Health,
    HealthBook,
    Leg,
    bucket_of,
)

NOW = 100.0


def answer(health: Health, seconds: float, now: float, bucket: int = 0) -> None:
    """One request that began so many seconds ago, and is answered well."""
    leg = health.began(now - seconds, bucket)
    health.answered(seconds, now, bucket, leg)
    health.succeeded(now, leg)
    health.ended(bucket, leg)


def fail(health: Health, times: int, now: float, **said: Any) -> Leg:
    leg = Leg.NORMAL
    for _ in range(times):
        leg = health.began(now)
        health.failed(0.0, now, 0, leg, **said)
        health.ended(0, leg, answered=False)
    return leg


def ejected(now: float = NOW) -> Health:
    health = Health()
    fail(health, FAILURES_TO_EJECT, now)
    return health


# --- how slow


def test_nobody_tried_it_yet() -> None:
    health = Health()
    assert health.open(0.0)
    assert health.cost(1, NOW) == UNMEASURED
    assert health.cost(1, NOW + DECAY) == pytest.approx(UNMEASURED / math.e)  # so that somebody tries


def test_a_sample_moves_it_up_at_once_and_down_with_time() -> None:
    health = Health()
    answer(health, 2.0, NOW)
    assert health.cost(1, NOW) == 2.0
    answer(health, 0.2, NOW + DECAY)
    assert health.cost(1, NOW + DECAY) == pytest.approx(0.2 + 1.8 * math.exp(-1))
    before = health.cost(1, NOW + DECAY)
    answer(health, 0.2, NOW + DECAY)
    assert health.cost(1, NOW + DECAY) == pytest.approx(before)  # no time, no forgetting


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30)), min_size=1, max_size=30))
def test_the_latency_stays_between_the_samples(samples: list[tuple[float, float]]) -> None:
    health, now = Health(), 1000.0
    for seconds, later in samples:
        now += later
        answer(health, seconds, now)
    told = [seconds for seconds, _ in samples] + [UNMEASURED]
    assert min(told) - 1e-9 <= health.cost(1, now) <= max(told) + 1e-9


def test_it_is_forgotten_while_nobody_waits_and_only_then() -> None:
    health = Health()
    answer(health, 8.0, NOW)
    assert health.cost(1, NOW + 3 * DECAY) == pytest.approx(8 * math.exp(-3))
    leg = health.began(NOW + 3 * DECAY)
    assert health.cost(1, NOW + 3 * DECAY) == 16.0  # one is on its way to find out: no herd behind it
    health.ended(0, leg, answered=False)


def test_who_is_silent_is_as_slow_as_that_at_least() -> None:
    health = Health()
    answer(health, 0.2, NOW)
    health.began(NOW)
    assert health.cost(1, NOW + 4) == 8.0
    assert not health.silent(NOW + SILENCE, 0)
    assert health.silent(NOW + SILENCE + 0.1, 0)
    assert not health.silent(NOW + SILENCE + 0.1, 1)  # other sizes wait otherwise
    assert not health.ready(NOW + SILENCE + 0.1, 0)


def test_sizes_and_kinds_of_requests_are_measured_apart() -> None:
    health = Health()
    answer(health, 9.0, NOW, bucket_of(300_000, True))
    answer(health, 0.1, NOW, bucket_of(100, True))
    assert health.cost(1, NOW, bucket_of(300_000, True)) == 9.0
    assert health.cost(1, NOW, bucket_of(100, True)) < 1.1
    sizes = (0, 4095, 4096, 32 * 1024, 256 * 1024, 10**9)
    assert [bucket_of(size, True) for size in sizes] == [0, 0, 1, 2, 3, 3]
    assert {bucket_of(size, False) for size in sizes} == {4, 5, 6, 7}


def test_a_clock_that_goes_back_does_no_harm() -> None:
    health = Health()
    answer(health, 2.0, NOW)
    answer(health, 0.1, NOW / 2)
    assert health.cost(1, NOW / 2) == 2.0


def test_a_fast_failure_counts_as_a_slow_one_for_every_size() -> None:
    health = Health()
    answer(health, 0.1, NOW)
    fail(health, 1, NOW)
    assert health.cost(1, NOW) == PENALTY
    assert health.cost(1, NOW, 3) == PENALTY
    assert health.cost(1, NOW + DECAY, 3) == pytest.approx(PENALTY / math.e)
    health.began(NOW)
    health.failed(30.0, NOW)
    assert health.cost(1, NOW) == 60.0


def test_what_is_under_way_makes_it_dearer_and_weight_cheaper() -> None:
    health = Health()
    answer(health, 2.0, NOW)
    for _ in range(3):
        health.began(NOW)
    assert health.cost(1, NOW) == 8.0
    assert health.cost(4, NOW) == 2.0
    assert health.cost(0, NOW) == 8.0  # no division by nothing
    health.ended(answered=False)
    assert health.in_flight == 2


# --- ejected, and back


def test_five_failures_in_a_row_eject_and_a_success_between_starts_anew() -> None:
    health = Health()
    fail(health, FAILURES_TO_EJECT - 1, NOW)
    assert health.open(NOW)
    answer(health, 0.1, NOW)
    fail(health, FAILURES_TO_EJECT - 1, NOW)
    assert health.open(NOW)
    fail(health, 1, NOW)
    assert not health.open(NOW)
    assert not health.open(NOW + 10 * EJECTION)  # time alone brings nobody back
    assert not health.due(NOW + EJECTION - 0.01)
    assert health.due(NOW + EJECTION)


def test_one_probe_at_a_time_and_its_good_end_reopens() -> None:
    health = ejected()
    back = NOW + EJECTION
    probe = health.began(back)
    assert probe is Leg.PROBE
    assert not health.due(back)
    assert health.began(back) is Leg.LAST_RESORT
    health.answered(0.1, back + 0.1, 0, probe)
    assert not health.open(back + 0.1)  # it has only begun to answer: it may stall yet
    health.succeeded(back + 1, probe)
    assert health.open(back + 1)


def test_probes_back_off_with_jitter() -> None:
    health, now, pauses = ejected(), NOW + EJECTION, []
    for _ in range(9):
        assert fail(health, 1, now, chance=1.0) is Leg.PROBE
        pauses.append(health.ejected_until - now)
        now = health.ejected_until
    wanted = [min(2.0**power, BACKOFF_MOST) * JITTER for power in range(9)]
    assert pauses == pytest.approx(wanted)
    assert fail(health, 1, now, chance=0.0) is Leg.PROBE
    assert health.ejected_until - now == BACKOFF_MOST


def test_each_ejection_is_longer_than_the_last_and_good_minutes_forgive() -> None:
    health, now, spans = Health(), NOW, []
    for _ in range(30):
        fail(health, FAILURES_TO_EJECT, now)
        spans.append(health.ejected_until - now)
        now = health.ejected_until
        answer(health, 0.0, now)
    assert spans[:3] == [EJECTION, 2 * EJECTION, 3 * EJECTION]
    assert spans[-1] == EJECTION_MOST == max(spans)
    now += 28 * CALM
    fail(health, FAILURES_TO_EJECT, now)
    assert health.ejected_until - now == 3 * EJECTION


def test_what_began_before_tells_nothing_new() -> None:
    health = Health()
    old = [health.began(NOW) for _ in range(20)]
    fail(health, FAILURES_TO_EJECT, NOW)
    until = health.ejected_until
    for leg in old[:10]:
        health.failed(1.0, NOW + 1, 0, leg)
    assert (health.ejected_until, health.ejected_times) == (until, 1)
    answer(health, 0.0, until)
    for leg in old[10:]:
        health.failed(until - NOW + 1, until + 1, 0, leg)
    assert health.open(until + 1)


def test_the_last_resort_is_a_few_at_once_and_its_first_word_reopens() -> None:
    health = ejected()
    legs = [health.began(NOW + 1) for _ in range(LAST_RESORTS)]
    assert set(legs) == {Leg.LAST_RESORT}
    assert not health.last_resort()
    health.failed(0.1, NOW + 1, 0, legs[0])
    health.ended(0, legs[0], answered=False)
    assert health.last_resort()
    assert health.ejected_until == NOW + EJECTION  # it knew
    health.answered(0.5, NOW + 2, 0, legs[1])
    assert health.open(NOW + 2)


def test_what_is_silent_is_probed_where_others_could_answer() -> None:
    health = Health()
    answer(health, 0.5, NOW)
    health.began(NOW)
    late = NOW + SILENCE + 1
    assert health.doubted(late, 0)
    assert health.patience(Leg.PROBE, 0) == max(PROBE_PATIENCE, PROBE_SLOWNESS * 0.5)
    assert health.patience(Leg.NORMAL, 0) is None
    assert health.patience(Leg.PROBE, 5) is None  # nobody knows what it takes
    assert health.began(late) is Leg.NORMAL  # nobody else is there
    probe = health.began(late, alone=False)
    assert probe is Leg.PROBE
    assert not health.doubted(late, 0)
    health.failed(PROBE_PATIENCE, late + PROBE_PATIENCE, 0, probe)
    assert health.ejected


# --- limits


@pytest.mark.parametrize(
    ("said", "shut_for"),
    [(7.0, 7.0), (RETRY_AFTER_MOST, RETRY_AFTER_MOST), (1e9, RETRY_AFTER_MOST), (0.0, 0.0), (-5.0, 0.0)],
)
def test_retry_after_is_honoured_up_to_a_limit(said: float, shut_for: float) -> None:
    health = Health()
    fail(health, 1, NOW, retry_after=said)
    assert health.open(NOW + shut_for)
    assert health.open(NOW) is (shut_for == 0.0)


def test_a_shorter_retry_after_does_not_open_what_is_shut_for_longer() -> None:
    health = Health()
    fail(health, 1, NOW, retry_after=200.0)
    fail(health, 1, NOW + 1, retry_after=1.0)
    assert not health.open(NOW + 199.9)
    assert health.open(NOW + 200)


def test_too_much_at_once_cuts_what_may_be_in_flight_and_good_answers_raise_it() -> None:
    health = Health()
    legs = [health.began(NOW) for _ in range(10)]
    assert not health.full()
    for leg in legs[:3]:
        health.failed(0.1, NOW, 0, leg, crowded=True)
    assert health.limit == 10 * LIMIT_CUT  # one burst, one cut
    assert health.full()
    for leg in legs[:4]:
        health.ended(0, leg, answered=False)
    assert not health.full()
    health.succeeded(NOW + 1)
    assert health.limit == 7 + 1 / 7
    health.failed(0.1, NOW + 2, 0, crowded=True)
    assert health.limit == pytest.approx((7 + 1 / 7) * LIMIT_CUT)
    health.succeeded(NOW + 3 + LIMIT_MEMORY)
    assert health.limit is None


# --- the book


def test_a_refused_credential_stays_shut_until_it_works_or_is_forgiven() -> None:
    book = HealthBook()
    book.of("a").disabled = "the provider answered 401"
    book.of("b").disabled = "the provider answered 401"
    assert not book.of("a").open(1e9)
    assert book.refused() == {"a": "the provider answered 401", "b": "the provider answered 401"}
    answer(book.of("a"), 0.1, NOW)
    assert book.of("a").open(NOW)
    book.forgive()
    assert book.refused() == {}
    assert book.of("b").open(NOW)


def test_a_name_has_one_record_and_a_pool_one_budget() -> None:
    book = HealthBook()
    assert book.of("a") is book.of("a")
    assert book.of("a") is not book.of("b")
    assert book.budget("a") is book.budget("a")
    assert book.budget("a") is not book.budget("b")


def test_what_is_not_listed_any_more_is_shut_until_it_works_or_is_listed_again() -> None:
    book = HealthBook()
    book.miss({"up/a/cloud": "gone since noon", "up/b/cloud": "gone"})
    assert not book.of("up/a/cloud").open(0.0)
    assert book.missing() == {"up/a/cloud": "gone since noon", "up/b/cloud": "gone"}
    assert book.refused() == {}
    book.forgive()  # of credentials; a list is not changed by looking at it
    assert not book.of("up/a/cloud").open(0.0)
    answer(book.of("up/a/cloud"), 0.1, 1.0)
    assert book.of("up/a/cloud").open(1.0)
    book.miss({"up/a/cloud": "gone again"})
    assert book.missing() == {"up/a/cloud": "gone again"} and book.of("up/b/cloud").open(0.0)
    book.miss({})
    assert book.missing() == {}
