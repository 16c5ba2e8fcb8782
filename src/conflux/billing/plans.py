"""What a receipt says of a request that a plan pays for.

Law: pure. A line for each window and what is counted in it, and no money in any.
"""

from conflux.neutral.ledger import Line
from conflux.neutral.plans import Plan
from conflux.neutral.usage import Usage


def plan_lines(plan: Plan, usage: Usage) -> tuple[Line, ...]:
    """Named as `plan:agents requests of 5 hours`."""
    lines = []
    for window in plan.windows:
        if window.requests is not None:
            lines.append(Line(f"plan:{plan.id} requests of {window.name}", 1, 0, 0))
        if window.tokens is not None:
            lines.append(Line(f"plan:{plan.id} tokens of {window.name}", usage.total, 0, 0))
    return tuple(lines)
