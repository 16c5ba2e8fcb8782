"""Words and tokens for how much to think, and back."""

import pytest

from conflux.dialects.thinking_effort import BUDGETS, budget_of, effort_of
from conflux.neutral.request import Reasoning


@pytest.mark.parametrize("word", BUDGETS)
def test_a_word_survives_its_budget(word: str) -> None:
    budget = budget_of(Reasoning(effort=word))
    assert effort_of(Reasoning(budget=budget)) == word


@pytest.mark.parametrize(
    ("reasoning", "effort", "budget"),
    [
        (None, None, None),
        (Reasoning(), None, None),
        (Reasoning(enabled=True), None, None),
        (Reasoning(enabled=False, effort="high"), "none", 0),
        (Reasoning(effort="low", budget=5000), "low", 5000),
        (Reasoning(budget=5000), "medium", 5000),
        (Reasoning(budget=10**6), "max", 10**6),
        (Reasoning(effort="novel"), "novel", None),
    ],
)
def test_what_was_said_wins(reasoning: Reasoning | None, effort: str | None, budget: int | None) -> None:
    assert (effort_of(reasoning), budget_of(reasoning)) == (effort, budget)
