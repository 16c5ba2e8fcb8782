"""Which target is asked: its properties for any pool, and its effect over many requests."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.routing.choice import pick
from conflux.routing.health import EJECTION, LAST_RESORTS, SILENCE, HealthBook, Leg

NOW = 1000.0


@dataclass(frozen=True)
class Candidate:
    key: str
    weight: int = 1


def pool(size: int) -> list[Candidate]:
    return [Candidate(f"t{number}") for number in range(size)]


def answered(book: HealthBook, key: str, seconds: float, now: float = NOW) -> None:
    health = book.of(key)
    leg = health.began(now - seconds)
    health.answered(seconds, now, 0, leg)
    health.ended(0, leg)


def eject(book: HealthBook, *keys: str, at: float = NOW) -> None:
    for key in keys:
        book.of(key).ejected, book.of(key).ejected_until = True, at + EJECTION


@st.composite
def pools(draw: st.DrawFn) -> tuple[list[Candidate], HealthBook, set[str]]:
    book = HealthBook()
    found = [Candidate(f"t{number}", draw(st.integers(0, 5))) for number in range(draw(st.integers(0, 6)))]
    for one in found:
        answered(book, one.key, draw(st.floats(0.001, 20)))
        health = book.of(one.key)
        health.in_flight = draw(st.integers(0, 9))
        health.limit = draw(st.sampled_from([None, 1.0, 5.0]))
        health.ejected_until = draw(st.sampled_from([0.0, NOW, NOW + 1, NOW + 60]))
        health.ejected = draw(st.booleans())
        health.disabled = draw(st.sampled_from([None, None, "refused"]))
    tried = {one.key for one in found if draw(st.booleans())}
    return found, book, tried


@given(pools(), st.randoms(use_true_random=False))
def test_the_choice_from_any_pool(case: tuple[list[Candidate], HealthBook, set[str]], chance: random.Random) -> None:
    candidates, book, tried = case
    left = [one for one in candidates if one.key not in tried]
    open_ = [one for one in left if book.of(one.key).open(NOW)]
    due = [one for one in left if book.of(one.key).due(NOW)]
    found = pick(candidates, book.of, NOW, chance.randrange, tried=tried)
    calm = pick(candidates, book.of, NOW, chance.randrange, tried=tried, desperate=False)
    assert (found is None) == (not left)
    assert (calm is None) == (not open_ and not due)
    for one in (found, calm):
        if one is None:
            continue
        assert one in left
        if one not in open_:
            assert one in due or (one is found and not open_ and not due)
        if tried and open_:
            assert one in open_  # what failed once takes no chances
        if one in open_ and book.of(one.key).full():
            assert all(book.of(other.key).full() for other in open_)


@given(pools(), st.integers(0, 2**32))
def test_the_same_chance_gives_the_same_choice(case: tuple[list[Candidate], HealthBook, set[str]], seed: int) -> None:
    candidates, book, tried = case
    found = [pick(candidates, book.of, NOW, random.Random(seed).randrange, tried=tried) for _ in range(2)]
    assert found[0] == found[1]


def test_two_different_ones_are_drawn_and_the_dearer_loses() -> None:
    book = HealthBook()
    for number in range(5):
        answered(book, f"t{number}", 2.0 + number)
    for at in range(5):
        for other in range(4):
            draws = iter([at, other])
            found = pick(pool(5), book.of, NOW, lambda n, draws=draws: next(draws))  # type: ignore[misc]
            second = other + 1 if other >= at else other
            assert found is not None and found.key == f"t{min(at, second)}"


def test_after_a_failure_the_best_that_is_left_is_next() -> None:
    book = HealthBook()
    for number in range(4):
        answered(book, f"t{number}", 2.0 + number)
    found = pick(pool(4), book.of, NOW, random.randrange, tried={"t0"})
    assert found is not None and found.key == "t1"


def test_one_probe_is_sent_to_what_is_due_while_others_could_answer() -> None:
    book = HealthBook()
    eject(book, "t1", at=NOW - EJECTION)
    found = pick(pool(2), book.of, NOW, random.randrange)
    assert found is not None and found.key == "t1"
    assert book.of("t1").began(NOW) is Leg.PROBE
    second = pick(pool(2), book.of, NOW, random.randrange)
    assert second is not None and second.key == "t0"


def test_a_silent_one_is_left_alone_but_for_a_probe() -> None:
    book = HealthBook()
    for number in range(3):
        answered(book, f"t{number}", 0.5)
    book.of("t0").began(NOW)
    late = NOW + SILENCE + 1
    first = {pick(pool(3), book.of, late, random.Random(seed).randrange) for seed in range(50)}
    assert Candidate("t0") in first
    assert book.of("t0").began(late, alone=False) is Leg.PROBE
    assert Candidate("t0") not in {pick(pool(3), book.of, late, random.Random(seed).randrange) for seed in range(50)}
    book.of("t1").began(NOW)
    book.of("t2").began(NOW)  # now all are: as good as any
    assert pick(pool(3), book.of, late, random.randrange) is not None


def test_where_all_are_shut_a_few_go_to_the_one_that_opens_first() -> None:
    book = HealthBook()
    eject(book, "t0", "t1", "t2")
    book.of("t1").ejected_until = NOW + 1
    book.of("t1").missing = "not listed"
    book.of("t2").ejected_until = NOW + 2
    asked = []
    while (found := pick(pool(3), book.of, NOW, random.randrange)) is not None:
        asked.append(found.key)
        assert book.of(found.key).began(NOW) is Leg.LAST_RESORT
    assert asked == ["t2"] * LAST_RESORTS + ["t0"] * LAST_RESORTS + ["t1"] * LAST_RESORTS
    assert pick(pool(3), book.of, NOW, random.randrange, desperate=False) is None


def test_a_single_target_is_asked_a_few_times_though_it_is_ejected_and_nobody_is_nobody() -> None:
    book = HealthBook()
    eject(book, "t0")
    assert pick(pool(1), book.of, NOW, random.randrange) == Candidate("t0")
    assert pick(pool(1), book.of, NOW, random.randrange, desperate=False) is None
    assert pick(pool(1), book.of, NOW + EJECTION, random.randrange, desperate=False) == Candidate("t0")
    assert pick(pool(1), book.of, NOW, random.randrange, tried={"t0"}) is None
    for _ in range(LAST_RESORTS):
        book.of("t0").began(NOW)
    assert pick(pool(1), book.of, NOW, random.randrange) is None
    assert pick([], book.of, NOW, random.randrange) is None


def shares(candidates: list[Candidate], book: HealthBook, requests: int = 4000) -> dict[str, float]:
    chance = random.Random(7)
    found = dict.fromkeys((one.key for one in candidates), 0)
    for _ in range(requests):
        one = pick(candidates, book.of, NOW, chance.randrange)
        assert one is not None
        found[one.key] += 1
    return {key: count / requests for key, count in found.items()}


def test_two_choices_favour_the_quicker() -> None:
    book = HealthBook()
    for number, seconds in enumerate((2.0, 3.0, 4.0, 8.0)):
        answered(book, f"t{number}", seconds)
    # of two different ones of four, the best is in half of the pairs, the next wins 2 of 6, then 1, then none
    for share, sixths in zip(shares(pool(4), book).values(), (3, 2, 1, 0), strict=True):
        assert share == pytest.approx(sixths / 6, abs=0.03)


def test_equals_share_alike_and_the_ejected_get_nothing() -> None:
    book = HealthBook()
    for number in range(4):
        answered(book, f"t{number}", 2.0)
    assert all(part == pytest.approx(0.25, abs=0.05) for part in shares(pool(4), book).values())
    eject(book, "t2")
    found = shares(pool(4), book)
    assert found["t2"] == 0
    assert found["t0"] == pytest.approx(1 / 3, abs=0.05)
