"""What is expected of a model, and how what people say moves it."""

import pytest

from conflux.routing.opinions import FULL, PSEUDO, Opinions, Subject, Sum

ABOUT = Subject("shop", "shop/one", "code_gen", False)


def book(**sums: Sum) -> Opinions:
    found = Opinions()
    found.take_over({ABOUT._replace(task=task): one for task, one in sums.items()})
    return found


def expected(found: Opinions, subject: Subject = ABOUT, prior: float = 0.8) -> float:
    return found.quality(subject, lambda task: prior)


def test_nobody_said_anything() -> None:
    assert expected(Opinions()) == pytest.approx(0.8)


def test_fifty_full_ones_count_as_much_as_the_prior() -> None:
    assert expected(book(code_gen=Sum(50, 50 * FULL))) == pytest.approx(0.9)
    assert expected(book(code_gen=Sum(50, -50 * FULL))) == pytest.approx(0.4)
    assert expected(book(code_gen=Sum(50, 0))) == pytest.approx(0.65)
    assert expected(book(code_gen=Sum(450, 450 * FULL))) == pytest.approx(0.98)


def test_what_is_said_of_one_task_or_of_none_says_half_as_much_of_the_others() -> None:
    for task in ("creative", ""):
        found = book(**{task: Sum(50, 50 * FULL)})
        assert expected(found, ABOUT._replace(task=task)) == pytest.approx(0.9)
        assert expected(found) == pytest.approx(0.85)
    many = book(creative=Sum(10_000, 10_000 * FULL))
    assert expected(many) == pytest.approx(0.9, abs=0.005)  # but never more than half of it


def test_it_is_what_was_off_that_carries_over_not_the_figure() -> None:
    """A model as good as expected of it at an easy task is as good as expected at a hard one."""
    easy = book(creative=Sum(100, 80 * FULL))
    assert easy.quality(ABOUT, {"creative": 0.9, "code_gen": 0.4}.__getitem__) == pytest.approx(0.4)


def test_two_tasks_tell_more_of_a_third_than_one_of_them() -> None:
    one = book(creative=Sum(50, 50 * FULL))
    two = book(creative=Sum(50, 50 * FULL), extract=Sum(50, 50 * FULL))
    assert 0.8 < expected(one) < expected(two) < 1


def worth(offs: list[float], voices: int) -> float:
    """Of as many models, each judged so far beside 0.8."""
    found, subjects = Opinions(), [ABOUT._replace(model=str(place)) for place in range(len(offs))]
    scores = [int(voices * FULL * (2 * (0.8 + off) - 1)) for off in offs]
    found.take_over({one: Sum(voices, score) for one, score in zip(subjects, scores, strict=True)})
    return found.worth((one, lambda task: 0.8) for one in subjects)


def test_what_was_known_counts_for_more_where_models_differ_no_more_than_luck_does() -> None:
    assert Opinions().worth([(ABOUT, lambda task: 0.8)]) == PSEUDO
    luck = (0.8 * 0.2 / 100) ** 0.5
    assert worth([luck, -luck] * 8, 100) > 400
    assert PSEUDO < worth([1.2 * luck, -1.2 * luck] * 4, 100) < 400
    assert worth([0.2, -0.2] * 8, 100) == PSEUDO  # never for less
    assert worth([0.0] * 40, 100_000) == 500


def test_what_counts_for_more_is_moved_by_less() -> None:
    found = book(code_gen=Sum(50, 50 * FULL))
    steady = found.quality(ABOUT, lambda task: 0.8, 500.0)
    assert 0.8 < steady < 0.83 < found.quality(ABOUT, lambda task: 0.8)


def test_it_stays_between_nothing_and_all() -> None:
    praised = {task: Sum(5000, 5000 * FULL) for task in ("creative", "extract", "code_gen")}
    assert expected(book(**praised), prior=0.1) <= 1
    cursed = {task: Sum(5000, -5000 * FULL) for task in ("creative", "extract", "code_gen")}
    assert expected(book(**cursed), prior=0.9) >= 0
    assert expected(book(code_gen=Sum(0, 0))) == pytest.approx(0.8)


def test_another_models_and_simulated_ones_are_others() -> None:
    found = book(code_gen=Sum(50, 50 * FULL))
    for other in (ABOUT._replace(model="shop/two"), ABOUT._replace(simulated=True), ABOUT._replace(storefront="b")):
        assert expected(found, other) == pytest.approx(0.8)


def test_whoever_reckons_with_them_is_told_of_changes() -> None:
    found = Opinions()
    before = found.changes
    found.take_over({})
    assert found.changes != before
