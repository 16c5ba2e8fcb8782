"""No price is not a price of zero."""

from typing import Any

import pytest

from conflux.neutral.errors import Kind
from conflux.neutral.money import PriceSheet
from conflux.policy.priced import check_priced
from tests.policy.samples import case, model, refusal


@pytest.mark.parametrize(
    ("prices", "kind", "priced"),
    [
        ({}, "chat", False),
        ({"input": 1}, "chat", False),
        ({"output": 1}, "chat", False),
        ({"input": 1, "output": 1}, "chat", True),
        ({"input": 0, "output": 0}, "chat", True),
        ({"input": 1}, "embedding", True),
        ({"output": 1}, "embedding", False),
        ({}, "embedding", False),
    ],
)
def test_only_a_priced_model_runs_on_a_paying_key(prices: dict[str, Any], kind: str, priced: bool) -> None:
    one = model(price=PriceSheet(**prices), kind=kind)
    found = refusal(check_priced, case(of=one))
    assert (found is None) is priced
    if found is not None:
        assert (found.kind, found.code) == (Kind.UNAVAILABLE, "model_not_priced")
    assert refusal(check_priced, case(of=one, free=True)) is None
