"""What is expected of a model, and how what people say moves it."""

import pytest

from conflux.routing.opinions import FULL, Opinions, Subject, Sum

ABOUT = Subject("shop", "shop/one", "code_gen", False)


def book(**sums: Sum) -> Opinions:
    found = Opinions()
    found.take_over({ABOUT._replace(task=task): one for task, one in sums.items()})
    return found


def test_nobody_said_anything() -> None:
    assert Opinions().quality(ABOUT, 0.8) == pytest.approx(0.8)


def test_fifty_full_ones_count_as_much_as_the_prior() -> None:
    assert book(code_gen=Sum(50, 50 * FULL)).quality(ABOUT, 0.8) == pytest.approx(0.9)
    assert book(code_gen=Sum(50, -50 * FULL)).quality(ABOUT, 0.8) == pytest.approx(0.4)
    assert book(code_gen=Sum(50, 0)).quality(ABOUT, 0.8) == pytest.approx(0.65)


def test_one_about_another_task_says_nothing_and_one_about_none_a_quarter() -> None:
    assert book(creative=Sum(50, 50 * FULL)).quality(ABOUT, 0.8) == pytest.approx(0.8)
    unnamed = Opinions()
    unnamed.take_over({ABOUT._replace(task=""): Sum(200, 200 * FULL)})
    assert unnamed.quality(ABOUT, 0.8) == pytest.approx(0.9)
    assert unnamed.quality(ABOUT._replace(task=""), 0.8) == pytest.approx(0.96)


def test_another_models_and_simulated_ones_are_others() -> None:
    found = book(code_gen=Sum(50, 50 * FULL))
    for other in (ABOUT._replace(model="shop/two"), ABOUT._replace(simulated=True), ABOUT._replace(storefront="b")):
        assert found.quality(other, 0.8) == pytest.approx(0.8)


def test_whoever_reckons_with_them_is_told_of_changes() -> None:
    found = Opinions()
    before = found.changes
    found.take_over({})
    assert found.changes != before
