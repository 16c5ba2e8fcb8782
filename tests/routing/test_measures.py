"""What answers teach, and how it is forgotten."""

import random

import pytest

from conflux.routing.measures import FADE, FIRST, FORGOTTEN, PACE, Answer, Measured, Measures


def streamed(first: float = 2.0, seconds: float = 4.0, tokens: int = 100, **more: int) -> Answer:
    return Answer(True, "code_gen", 900, True, first, seconds, tokens, **more)


def after(count: int, answer: Answer) -> Measured:
    found = Measured(0.0)
    for _ in range(count):
        found.answered(answer, 0.0)
    return found


def test_a_stream_tells_when_it_began_how_fast_it_went_and_how_long_it_was() -> None:
    found = after(60, streamed(asked=1000, cached=400))
    assert found.first.value == pytest.approx(2.0, rel=0.05)
    assert found.pace.value == pytest.approx(0.02, rel=0.05)
    assert found.length("code_gen", 900) == pytest.approx(100, rel=0.1)
    assert found.cached.value == pytest.approx(0.4, rel=0.05)


def test_a_whole_answer_tells_one_time_and_both_follow_it() -> None:
    found = after(80, Answer(True, "code_gen", 900, False, 8.0, 8.0, 100))
    assert found.first.value + 100 * found.pace.value == pytest.approx(8.0, rel=0.05)
    assert found.first.value > FIRST and found.pace.value > PACE


def test_a_step_is_followed_within_a_few_answers() -> None:
    found = after(500, streamed(first=1.0))
    for _ in range(30):
        found.answered(streamed(first=3.0), 0.0)
    assert found.first.value == pytest.approx(3.0, rel=0.05)


def test_a_failure_counts_and_tells_no_time() -> None:
    found = after(5, Answer(False, "code_gen", 900))
    assert (found.first.value, found.pace.value, found.length("code_gen", 900)) == (FIRST, PACE, 900)
    assert found.odds.lower() < Measured(0.0).odds.lower()


def test_an_answer_that_broke_off_says_nothing_of_its_length() -> None:
    assert after(5, streamed()._replace(good=False)).length("code_gen", 900) == 900


def test_who_is_long_winded_in_one_task_is_expected_to_be_so_in_another() -> None:
    found = after(40, streamed(tokens=1800))
    assert found.length("creative", 400) == pytest.approx(800, rel=0.1)
    for _ in range(40):
        found.answered(Answer(True, "creative", 400, True, 1.0, 3.0, 200), 0.0)
    assert found.length("creative", 400) == pytest.approx(220, rel=0.1)  # what was seen counts more
    assert found.length("code_gen", 900) == pytest.approx(1780, rel=0.05)


def test_one_long_answer_is_no_long_winded_model() -> None:
    assert after(1, streamed(tokens=9000)).length("code_gen", 900) < 6000


def test_a_change_is_noticed_by_a_few_answers_and_noise_is_none() -> None:
    for first in (1.0, 9.0):
        found = after(100, streamed(first=3.0))
        for _ in range(3):
            found.answered(streamed(first=first), 0.0)
        assert found.first.value == pytest.approx(first, rel=0.3)
    chance = random.Random(1)
    found, begun = after(20, streamed(first=3.0)), 0
    for _ in range(1000):
        before = found.first.weight
        found.answered(streamed(first=3.0 * chance.lognormvariate(0, 0.3)), 0.0)
        begun += found.first.weight < before
    assert begun <= 10
    assert found.first.value == pytest.approx(3.0, rel=0.3)


def test_one_accident_is_no_change() -> None:
    found = after(100, streamed(first=1.0))
    found.answered(streamed(first=5.0), 0.0)
    assert found.first.value < 1.5


def test_a_bad_hour_is_believed_and_what_was_usual_is_remembered() -> None:
    found = after(50, streamed(first=1.0))
    for _ in range(5):
        found.answered(streamed(first=30.0), 0.0)
    bad = found.first.value
    assert bad > 25 and found.since(0.0) == (0, 0)  # no time has passed
    assert found.first.usual < 8 and found.pace.usual <= found.pace.value
    found.fade(FADE)
    assert found.first.value > 0.95 * bad  # time alone tells nothing new
    over, better = found.since(FADE)
    assert over == pytest.approx(0.632, abs=0.001) and 0 < better < 0.01
    assert found.since(3 * FADE)[0] > over and found.since(3 * FADE)[1] > better
    found.answered(streamed(first=1.0), FADE)
    assert found.first.value < 0.9 * bad  # and what is new counts much again
    found.answered(streamed(first=1.0), FADE)
    found.answered(streamed(first=1.0), FADE)
    assert found.first.value < 5


def test_one_good_answer_after_bad_ones_is_a_reason_to_look_again() -> None:
    found = after(50, streamed(first=1.0))
    for _ in range(8):
        found.answered(streamed(first=30.0), 0.0)
    assert found.since(1.0)[0] < 0.001
    found.answered(streamed(first=1.0), 1.0)
    assert found.since(1.0)[0] == 0.5


def test_who_got_quicker_is_not_expected_to_get_slow_again() -> None:
    found = after(50, streamed(first=30.0))
    for _ in range(5):
        found.answered(streamed(first=1.0), 0.0)
    assert found.first.usual == found.first.value


def test_the_more_answers_the_less_doubt_of_their_length() -> None:
    doubts = [after(count, streamed()).doubt("code_gen") for count in (0, 1, 5, 50)]
    assert doubts == sorted(doubts, reverse=True) and doubts[0] < 0.15 and doubts[-1] < 0.04


def test_who_is_always_slow_is_not_tried_anew_every_hour() -> None:
    found = after(50, streamed(first=30.0))
    for hour in range(1, 11):
        found.fade(hour * FADE)
    assert found.first.value > 25
    found.fade(20 * FORGOTTEN)  # but after weeks
    assert found.first.value == pytest.approx(FIRST) and found.pace.value == pytest.approx(PACE)


def test_what_lasts_becomes_what_is_usual() -> None:
    found = after(50, streamed(first=1.0))
    for _ in range(5):
        found.answered(streamed(first=30.0), 0.0)
    once = found.first.usual
    assert once < 10
    for step in range(1, 41):  # looked at again now and then, it is always slow
        found.answered(streamed(first=30.0), step * FADE / 10)
    assert found.first.usual > 20 > once


def test_the_more_answers_the_less_one_more_may_teach_of_their_speed() -> None:
    found = [after(count, streamed()).first for count in (0, 1, 5, 50)]
    doubts = [one.doubt() / one.value for one in found]
    assert doubts == sorted(doubts, reverse=True) and doubts[-1] < 0.05 * doubts[0]


def test_they_are_found_by_name() -> None:
    book = Measures()
    assert book.of("a", 0.0) is book.of("a", 5.0) is not book.of("b", 0.0)


def test_whoever_listens_hears_of_each_answer_once() -> None:
    book = Measures()
    one, other = book.of("a", 0.0), book.of("b", 0.0)
    one.answered(streamed(), 0.0)
    heard = book.news.count
    assert book.news.since(heard) == [] and book.news.since(0) == [one]
    other.answered(streamed(), 0.0)
    one.answered(streamed(), 0.0)
    assert book.news.since(heard) == [other, one]
    for _ in range(1000):
        one.answered(streamed(), 0.0)
    assert book.news.since(heard) is None  # too much: all may have changed
    assert book.news.since(book.news.count - 3) == [one, one, one]
