"""Each way in which a provider is narrower than the protocol."""

from typing import Any

import pytest

from conflux.sim.ask import BadRequest
from conflux.sim.openai_chat_manners import check_manners
from conflux.sim.quirks import Quirks

CASES: list[tuple[Quirks, dict[str, Any], dict[str, Any]]] = [
    # quirks, what is refused, what is not
    (Quirks(developer=False), {"messages": [{"role": "developer"}]}, {"messages": [{"role": "system"}]}),
    (Quirks(most_stops=1), {"stop": ["a", "b"]}, {"stop": ["a"]}),
    (Quirks(choices=False), {"n": 2}, {"n": 1}),
    (Quirks(required_tools=False), {"tool_choice": "required"}, {"tool_choice": "auto"}),
    (Quirks(json_schema=False), {"response_format": {"type": "json_schema"}}, {"response_format": {"type": "text"}}),
    (Quirks(strict_tools=False), {"tools": [{"function": {"strict": True}}]}, {"tools": [{"function": {}}]}),
    (Quirks(fixed_sampling=True), {"temperature": 1}, {"seed": 1}),
    (Quirks(effort_in="thinking"), {"reasoning_effort": "low"}, {"thinking": {"type": "enabled"}}),
]


@pytest.mark.parametrize(("quirks", "wrong", "right"), CASES)
def test_a_quirk_refuses_what_the_protocol_takes(quirks: Quirks, wrong: dict[str, Any], right: dict[str, Any]) -> None:
    check_manners(right, quirks)
    check_manners(wrong, Quirks())
    with pytest.raises(BadRequest):
        check_manners(wrong, quirks)
