"""Where conversations were, for how long that is known, and when it pays to stay."""

import pytest

from conflux.routing.places import IDLE, MOST, SECOND, Places, Stay, stays


def test_a_place_is_known_until_it_was_idle_for_too_long() -> None:
    places = Places()
    places.keep(b"a", "t0", 100, 50.0)
    found = places.of(b"a", 50.0 + IDLE)
    assert found is not None and (found.target, found.tokens) == ("t0", 100)
    assert places.of(b"a", 50.1 + IDLE) is None
    assert len(places) == 0
    assert places.of(b"b", 0.0) is None


def test_the_longest_unused_are_forgotten_first() -> None:
    places = Places()
    for number in range(MOST):
        places.keep(b"%d" % number, "t0", 1, 0.0)
    places.keep(b"0", "t1", 2, 1.0)  # used again
    places.keep(b"new", "t0", 1, 1.0)
    assert len(places) == MOST
    assert places.of(b"1", 1.0) is None
    assert places.of(b"0", 1.0) is not None


PER_TOKEN = 3_000_000  # pico-USD: $3 a million


@pytest.mark.parametrize(
    ("cached_price", "wait", "tokens", "cached", "stay"),
    [
        (PER_TOKEN // 10, 0.3, 10_000, 10_000, True),
        (PER_TOKEN // 10, 20.0, 10_000, 10_000, True),  # 27,000,000 nano-USD are worth 27 s
        (PER_TOKEN // 10, 28.0, 10_000, 10_000, False),
        (PER_TOKEN // 10, 20.0, 10_000, 1_000, False),  # little of it was seen there
        (PER_TOKEN // 10, 28.0, 10_000, 90_000, False),  # no more is cached than is said again
        (PER_TOKEN, 0.31, 10_000, 10_000, False),  # nothing is saved
        (PER_TOKEN, 0.3, 10_000, 10_000, True),
    ],
)
def test_it_stays_while_the_cache_saves_more_than_the_waiting_costs(
    cached_price: int, wait: float, tokens: int, cached: int, stay: bool
) -> None:
    here = Stay(PER_TOKEN, cached_price, wait)
    assert stays(here, Stay(PER_TOKEN, cached_price, 0.3), tokens, cached) is stay


def test_a_cheaper_target_draws_it_away() -> None:
    here = Stay(PER_TOKEN, PER_TOKEN // 10, 0.3)
    assert stays(here, Stay(PER_TOKEN // 5, 0, 0.3), 1000, 1000)
    assert not stays(here, Stay(PER_TOKEN // 20, 0, 0.3), 1000, 1000)
    assert SECOND > 0
