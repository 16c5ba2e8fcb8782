"""What answers teach, and how it is forgotten."""

import pytest

from conflux.routing.measures import FADE, FIRST, PACE, Answer, Measured, Measures


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
    assert found.length("code_gen", 900).value == pytest.approx(100, rel=0.3)
    assert found.length("creative", 900).value == 900  # another task's are as long as assumed
    assert found.cached.value == pytest.approx(0.4, rel=0.05)
    assert found.changes == 60


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
    assert (found.first.value, found.pace.value, found.lengths) == (FIRST, PACE, {})
    assert found.odds.lower() < Measured(0.0).odds.lower()


def test_an_answer_that_broke_off_says_nothing_of_its_length() -> None:
    assert after(5, streamed()._replace(good=False)).lengths == {}


def test_what_nobody_asks_fades_into_what_is_assumed() -> None:
    found = after(50, streamed(first=30.0))
    found.fade(0.5)
    assert found.first.value > 25
    found.fade(FADE)
    assert 8 < found.first.value < 14
    found.fade(20 * FADE)
    assert found.first.value == pytest.approx(FIRST) and found.pace.value == pytest.approx(PACE)
    found.answered(streamed(first=4.0), 20 * FADE)
    assert found.first.value == pytest.approx((0.3 * FIRST + 4.0) / 1.3, rel=0.05)  # and new news counts fully again


def test_they_are_found_by_name() -> None:
    book = Measures()
    assert book.of("a", 0.0) is book.of("a", 5.0) is not book.of("b", 0.0)
