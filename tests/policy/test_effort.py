"""An id that fixes an effort is not overruled by the body."""

import pytest

from conflux.neutral.errors import Kind
from conflux.policy.effort import check_effort
from tests.policy.samples import case, envelope, model, refusal


@pytest.mark.parametrize(
    ("fixed", "asked", "passes"),
    [
        (None, None, True),
        (None, "low", True),
        ("high", None, True),
        ("high", "high", True),
        ("high", "low", False),
        ("high", "none", False),
        ("high", "HIGH", False),
    ],
)
def test_effort(fixed: str | None, asked: str | None, passes: bool) -> None:
    found = refusal(check_effort, case(of=model(effort=fixed), asks=envelope(effort=asked)))
    assert (found is None) is passes
    if found is not None:
        assert (found.kind, found.param) == (Kind.INVALID, "reasoning_effort")
        assert "'high'" in found.message and repr(asked) in found.message
