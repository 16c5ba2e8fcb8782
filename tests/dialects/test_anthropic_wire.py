"""What is refused in a request, and in which words."""

from typing import Any

import pytest

from conflux.dialects.anthropic_wire import KINDS
from conflux.neutral.errors import GatewayError
from tests.dialects.messages import MESSAGES, body


def refused(**fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        MESSAGES.open(body(**fields))
    return caught.value


def block(**fields: Any) -> Any:
    return [{"role": "user", "content": [fields]}]


def test_case_43_an_unknown_block_is_named_and_the_known_ones_are() -> None:
    error = refused(messages=block(type="hologram"))
    assert error.param == "messages[0].content[0].type" and "'hologram'" in error.message
    assert all(kind in error.message for kind in KINDS)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": block(type="text")}, "messages[0].content[0].text"),
        ({"messages": block(type="tool_use", id="a", name="b", input="x")}, "messages[0].content[0].input"),
        ({"messages": block(type="image", source={"type": "ftp"})}, "messages[0].content[0].source.type"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "required"}}, "tool_choice.type"),
        ({"thinking": {"type": "loud"}}, "thinking.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
    ],
)
def test_what_is_wrong_is_named(fields: Any, param: str) -> None:
    assert refused(**fields).param == param
