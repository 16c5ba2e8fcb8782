"""The law of second legs: late by what was seen, and never more than a fiftieth."""

import random

from conflux.routing.hedge import SHARE, Hedge


def test_nobody_is_late_where_nothing_is_known() -> None:
    hedge = Hedge()
    for _ in range(19):
        hedge.waited(0, 1.0)
    assert hedge.late(0) is None
    hedge.waited(0, 1.0)
    assert hedge.late(0) == 1.0
    assert hedge.late(1) is None, "another size of question"


def test_late_is_what_nineteen_of_twenty_are_not() -> None:
    hedge = Hedge()
    for wait in range(100):
        hedge.waited(0, float(wait))
    for _ in range(150):
        hedge.asked()
    assert hedge.late(0) == 95
    hedge.take()
    hedge.take()
    assert hedge.late(0) == 97, "the last one is kept for who is later still"
    for _ in range(100):  # what was is forgotten
        hedge.waited(0, 2.0)
    assert hedge.late(0) == 2


def test_no_more_than_a_fiftieth_of_the_requests_however_they_come() -> None:
    for seed in range(20):
        chance, hedge = random.Random(seed), Hedge()
        taken = 0
        for number in range(1, 5001):
            hedge.asked()
            if chance.random() < 0.2:
                taken += hedge.take()
            assert taken <= SHARE * number
        assert taken > 0.9 * SHARE * 5000


def test_a_quiet_time_saves_up_no_storm() -> None:
    hedge = Hedge()
    for _ in range(100_000):
        hedge.asked()
    assert sum(hedge.take() for _ in range(100)) == 3
