"""The lower bound beside the exact one, and a count that forgets."""

import math

import pytest

from conflux.routing.beta import BAD, GOOD, Odds, lower_bound


def exact(good: float, bad: float) -> float:
    """By adding up the density in small steps."""
    steps = 20_000
    scale = math.lgamma(good + bad) - math.lgamma(good) - math.lgamma(bad)
    below = 0.0
    for step in range(steps):
        x = (step + 0.5) / steps
        below += math.exp(scale + (good - 1) * math.log(x) + (bad - 1) * math.log1p(-x)) / steps
        if below >= 0.1:
            return x
    return 1.0


@pytest.mark.parametrize(("good", "bad"), [(28.5, 1.5), (128, 1.5), (110, 10), (60, 60), (28.5, 101), (500, 3)])
def test_the_lower_tenth_is_right_to_a_hundredth(good: float, bad: float) -> None:
    assert lower_bound(good, bad) == pytest.approx(exact(good, bad), abs=0.01)


def test_many_good_ends_count_more_than_few_and_bad_ones_pull_it_down() -> None:
    odds = Odds()
    untried = odds.lower()
    for _ in range(100):
        odds.saw(good=True)
    tried = odds.lower()
    assert untried < 0.95 < 0.96 < tried
    for _ in range(20):
        odds.saw(good=False)
    assert odds.lower() < untried


def test_what_was_long_ago_is_forgotten() -> None:
    odds = Odds()
    for _ in range(2000):
        odds.saw(good=False)
    assert odds.bad < 102  # the last hundred or so
    low = odds.lower()
    for _ in range(300):
        odds.saw(good=True)
    assert odds.lower() > 0.85 > 0.5 > low
    odds.fade(0.0)
    assert (odds.good, odds.bad) == (GOOD, BAD)
