"""The make of a model, off its name."""

import pytest

from conflux.routing.families import family


@pytest.mark.parametrize(
    ("name", "make"),
    [("google/gemini-2.5-pro", "gemini"), ("bd/deepseek-v4-pro-260425", "deepseek"), ("GLM 5.1", "glm"), ("42", "")],
)
def test_the_first_word_whoever_sells_it(name: str, make: str) -> None:
    assert family(name) == make
