"""How much to think, in words and in tokens: some protocols say the one, some the other.

Law: one table for every pair of dialects, so that a word becomes the same budget everywhere and a budget the word it
came from.
"""

from conflux.neutral.request import Reasoning

# effort -> tokens of thinking; a budget is called by the first word that covers it.
BUDGETS: dict[str, int] = {
    "none": 0,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 65_536,
}


def effort_of(reasoning: Reasoning | None) -> str | None:
    """The word: the client's own, or the one its budget stands for; None where it left that open."""
    if reasoning is None:
        return None
    if reasoning.enabled is False:
        return "none"
    if reasoning.effort is not None or reasoning.budget is None:
        return reasoning.effort
    return next((word for word, tokens in BUDGETS.items() if reasoning.budget <= tokens), "max")


def budget_of(reasoning: Reasoning | None) -> int | None:
    """The tokens: the client's own, or what its word stands for; None where it left that open."""
    if reasoning is None:
        return None
    if reasoning.enabled is False:
        return 0
    if reasoning.budget is not None or reasoning.effort is None:
        return reasoning.budget
    return BUDGETS.get(reasoning.effort)
