"""Which names a pattern means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.policy.patterns import matches, matching, names_of
from tests.policy.samples import model


@pytest.mark.parametrize(
    ("pattern", "name", "means"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/bc", False),
        ("a/*", "a/b", True),
        ("a/*", "a/", True),
        ("a/*", "b/a/", False),
        ("*", "", True),
        ("*mini", "gpt-4o-mini", True),
        ("gpt-*-mini", "gpt-mini", False),
        ("a*a", "a", False),
        ("a*b*c", "a-c-b-c", True),
        ("a*b*c", "a-c-c", False),
        ("gpt-4.1", "gpt-4x1", False),
        ("[a]", "a", False),
        ("?", "a", False),
        ("", "", True),
    ],
)
def test_what_a_pattern_means(pattern: str, name: str, means: bool) -> None:
    assert matches(pattern, name) is means


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_as_a_regular_expression_has_it(pattern: str, name: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, name) is (re.fullmatch(expression, name) is not None)


def test_many_stars_take_no_longer() -> None:
    assert not matches("a*" * 5_000 + "b", "a" * 20_000)


def test_a_model_is_meant_by_any_of_its_names() -> None:
    one = model(aliases=("uno", "eins"), canonical_slug="one-1")
    assert names_of(one) == ("shop/one", "uno", "eins", "one-1")
    assert names_of(model()) == ("shop/one",)
    assert matching(("x", "e*", "uno"), names_of(one)) == "e*"
    assert matching(("x",), names_of(one)) is None
