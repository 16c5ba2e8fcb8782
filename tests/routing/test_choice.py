"""The order to try targets in: its properties for any pool, and its effect over many requests."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.choice import MOST_ATTEMPTS, order
from conflux.routing.health import HealthBook

NOW = 1000.0


@dataclass(frozen=True)
class Candidate:
    key: str
    weight: int = 1


def pool(size: int) -> list[Candidate]:
    return [Candidate(f"t{number}") for number in range(size)]


def latencies(book: HealthBook, seconds: list[float], now: float = NOW) -> None:
    for number, one in enumerate(seconds):
        book.of(f"t{number}").succeeded(one, now)


@st.composite
def pools(draw: st.DrawFn) -> tuple[list[Candidate], HealthBook]:
    book = HealthBook()
    found = [Candidate(f"t{number}", draw(st.integers(0, 5))) for number in range(draw(st.integers(0, 6)))]
    for one in found:
        health = book.of(one.key)
        health.succeeded(draw(st.floats(0.001, 20)), NOW)
        health.in_flight = draw(st.integers(0, 9))
        health.ejected_until = draw(st.sampled_from([0.0, NOW, NOW + 1, NOW + 60]))
    return found, book


@given(pools(), st.randoms(use_true_random=False))
def test_the_order_of_any_pool(case: tuple[list[Candidate], HealthBook], chance: random.Random) -> None:
    candidates, book = case
    found = order(candidates, book.of, NOW, chance.randrange)
    assert len(found) == min(len(candidates), MOST_ATTEMPTS)
    assert len({one.key for one in found}) == len(found)
    assert set(found) <= set(candidates)
    # what is ejected comes after what is not, and only what is left for it
    shut = [not book.of(one.key).open(NOW) for one in found]
    assert shut == sorted(shut)
    open_ = sum(book.of(one.key).open(NOW) for one in candidates)
    assert shut.count(False) == min(open_, MOST_ATTEMPTS)
    # behind the first, the cheaper before the dearer; of the ejected, the one that comes back first
    rest = [one for one, out in zip(found, shut, strict=True) if not out][1:]
    costs = [book.of(one.key).cost(one.weight) for one in rest]
    assert costs == sorted(costs)
    until = [book.of(one.key).ejected_until for one, out in zip(found, shut, strict=True) if out]
    assert until == sorted(until)


@given(pools(), st.integers(0, 2**32))
def test_the_same_chance_gives_the_same_order(case: tuple[list[Candidate], HealthBook], seed: int) -> None:
    candidates, book = case
    orders = [order(candidates, book.of, NOW, random.Random(seed).randrange) for _ in range(2)]
    assert orders[0] == orders[1]


@given(pools(), st.randoms(use_true_random=False))
def test_the_first_is_never_the_dearer_of_the_two_that_were_drawn(
    case: tuple[list[Candidate], HealthBook], chance: random.Random
) -> None:
    candidates, book = case
    drawn: list[int] = []

    def below(n: int) -> int:
        drawn.append(chance.randrange(n))
        return drawn[-1]

    found = order(candidates, book.of, NOW, below)
    open_ = [one for one in candidates if book.of(one.key).open(NOW)]
    if len(candidates) > 1 and open_:
        assert len(drawn) == 2
        best = min(book.of(open_[place].key).cost(open_[place].weight) for place in drawn)
        assert book.of(found[0].key).cost(found[0].weight) == best


def test_a_single_target_is_tried_even_when_ejected_and_nobody_is_nobody() -> None:
    book = HealthBook()
    book.of("t0").ejected_until = NOW + 100
    assert order(pool(1), book.of, NOW, random.randrange) == pool(1)
    assert order([], book.of, NOW, random.randrange) == []


def test_when_all_are_ejected_all_are_tried() -> None:
    book = HealthBook()
    for number, until in enumerate([30.0, 10.0, 20.0]):
        book.of(f"t{number}").ejected_until = NOW + until
    assert [one.key for one in order(pool(3), book.of, NOW, random.randrange)] == ["t1", "t2", "t0"]


def firsts(candidates: list[Candidate], book: HealthBook, requests: int = 4000) -> dict[str, float]:
    """The share of requests that each candidate is tried first for."""
    chance = random.Random(7)
    found = dict.fromkeys((one.key for one in candidates), 0)
    for _ in range(requests):
        found[order(candidates, book.of, NOW, chance.randrange)[0].key] += 1
    return {key: count / requests for key, count in found.items()}


def test_two_choices_favour_the_quicker() -> None:
    book = HealthBook()
    latencies(book, [0.1, 0.2, 0.4, 0.8])
    share = firsts(pool(4), book)
    # of two drawn with replacement from four, the best wins 7 of 16, then 5, 3 and 1
    for key, sixteenths in zip(share, (7, 5, 3, 1), strict=True):
        assert share[key] == pytest.approx(sixteenths / 16, abs=0.03)


def test_equals_share_alike_and_the_ejected_get_nothing_first() -> None:
    book = HealthBook()
    latencies(book, [0.2, 0.2, 0.2, 0.2])
    assert all(part == pytest.approx(0.25, abs=0.03) for part in firsts(pool(4), book).values())
    book.of("t2").ejected_until = NOW + 1
    share = firsts(pool(4), book)
    assert share["t2"] == 0
    assert share["t0"] == pytest.approx(1 / 3, abs=0.03)


def simulated(service: list[float], weights: list[int], rate: float, seconds: float, seed: int) -> list[int]:
    """How many requests each target serves, when each takes its own time and tells it at its end."""
    chance, book, now = random.Random(seed), HealthBook(), 0.0
    candidates = [Candidate(f"t{number}", weight) for number, weight in enumerate(weights)]
    ends: list[tuple[float, int, float]] = []
    served = [0] * len(service)
    while now < seconds:
        now += chance.expovariate(rate)
        for end, number, took in sorted(one for one in ends if one[0] <= now):
            book.of(f"t{number}").ended()
            book.of(f"t{number}").succeeded(took, end)
        ends = [one for one in ends if one[0] > now]
        number = int(order(candidates, book.of, now, chance.randrange)[0].key[1:])
        served[number] += 1
        book.of(f"t{number}").began()
        took = service[number] * chance.uniform(0.8, 1.2)
        ends.append((now + took, number, took))
    return served


def test_equals_are_loaded_evenly() -> None:
    for seed in range(3):
        served = simulated([0.5] * 4, [1] * 4, rate=40, seconds=60, seed=seed)
        assert max(served) / (sum(served) / len(served)) <= 1.25


def test_a_target_ten_times_as_slow_gets_little() -> None:
    for seed in range(3):
        served = simulated([0.3, 0.3, 0.3, 3.0], [1] * 4, rate=30, seconds=60, seed=seed)
        assert served[3] / sum(served) < 0.08


def test_a_heavier_target_gets_more() -> None:
    for seed in range(3):
        served = simulated([0.5, 0.5], [1, 3], rate=40, seconds=60, seed=seed)
        assert served[1] > 1.5 * served[0]
