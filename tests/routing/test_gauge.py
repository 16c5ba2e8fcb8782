"""Bounds are never too small, guesses come near, and both learn."""

import random

import pytest

from conflux.routing.gauge import PLAIN_TOKENS, Counted, Gauge


def test_uncounted_the_bytes_are_the_bound_whatever_was_learned() -> None:
    gauge = Gauge()
    for _ in range(500):
        gauge.learn("p", 10_000, 2500)
    assert gauge.bound("p", 8000) == 8000


def test_a_count_is_never_more_than_the_bytes() -> None:
    assert Gauge().bound("p", 100, Counted(99, "plain")) == 100
    assert Gauge().guess("p", 100, Counted(99, "plain")) == 100


def test_a_guess_by_bytes_begins_at_a_third_and_learns() -> None:
    gauge = Gauge()
    assert gauge.guess("p", 3000) == 1000
    for _ in range(200):
        gauge.learn("p", 10_000, 2500)
    assert 2500 <= gauge.guess("p", 10_000) <= 2525
    assert gauge.guess("q", 3000) == 1000


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.2, 1.6])
def test_after_200_reports_it_errs_by_less_than_3_percent_and_is_passed_by_1_percent(ratio: float) -> None:
    chance, gauge = random.Random(f"gauge {ratio}"), Gauge()
    off = passed = 0.0
    for turn in range(2200):
        counted = Counted(chance.randrange(1000, 100_000), "plain")
        real = round(counted.tokens * chance.gauss(ratio, 0.02 * ratio))
        if turn >= 200:
            off += abs(gauge.guess("p", 10**9, counted) - real) / real
            passed += real > gauge.bound("p", 10**9, counted)
        gauge.learn("p", 10**9, real, counted)
    assert off / 2000 <= 0.03 and passed / 2000 <= 0.01


def test_the_margin_narrows_with_what_is_seen() -> None:
    gauge, counted = Gauge(), Counted(10_000, "plain")
    wide = gauge.bound("p", 10**9, counted)
    for _ in range(200):
        gauge.learn("p", 10**9, 11_000, counted)
    assert 11_000 < gauge.bound("p", 10**9, counted) < 11_500 < wide == 16_000


def test_a_tokenizer_that_changed_is_learned_anew() -> None:
    gauge, counted = Gauge(), Counted(10_000, "plain")
    for real in (10_000, 13_000):
        for _ in range(600):
            gauge.learn("p", 10**9, real, counted)
    assert 12_700 < gauge.guess("p", 10**9, counted) < 13_010


@pytest.mark.parametrize("reported", [0, 1023, 999_999, 1_999, 40_001])
def test_an_absurd_report_moves_nothing(reported: int) -> None:
    gauge, counted = Gauge(), Counted(10_000, "plain")
    gauge.learn("p", 100_000, reported, counted)
    assert gauge.guess("p", 10**9, counted) == round(10_000 * PLAIN_TOKENS)


def test_pools_and_scripts_are_apart_and_what_is_no_text_is_beside() -> None:
    gauge = Gauge()
    for _ in range(300):
        gauge.learn("p", 10**9, 20_000, Counted(10_000, "plain"))
    for pool, script in (("p", "three"), ("q", "plain")):
        assert gauge.guess(pool, 10**9, Counted(10_000, script)) == round(10_000 * PLAIN_TOKENS)
    assert gauge.guess("p", 10**9, Counted(10_000, "plain", beside=500)) in range(20_300, 20_501)


def test_what_is_remembered_is_bounded() -> None:
    gauge = Gauge()
    for number in range(5000):
        for _ in range(4):
            gauge.learn(f"p{number}", 10_000, 2500, Counted(2500, "plain"))
    assert gauge.guess("p0", 3000) == 1000 and gauge.guess("p4999", 10_000) == 2500
