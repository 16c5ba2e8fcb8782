"""What is wrong with a Responses body, by its path."""

from typing import Any

import pytest

from conflux.dialects import openai_responses_wire as wire
from conflux.neutral.errors import GatewayError

MESSAGE = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": 1}, "input"),
        ({"input": []}, "input"),
        ({"input": [1]}, "input[0]"),
        ({"input": [MESSAGE, {"type": "odd"}]}, "input[1].type"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": ""}]}, "input[0].call_id"),
        ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
        ({"input": "x", "truncation": "some"}, "truncation"),
        ({"input": "x", "background": True}, "background"),
        ({"input": "x", "conversation": {"id": "c"}}, "conversation"),
        ({"input": "x", "prompt": {"id": "p"}}, "prompt"),
    ],
)
def test_mistakes_have_their_place(body: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as found:
        wire.check(body)
    assert found.value.param == param and param in found.value.message


def test_case_43_an_unknown_part_is_named() -> None:
    with pytest.raises(GatewayError, match=r"unknown content part type 'hologram'.*input_text"):
        wire.check({"input": [{"role": "user", "content": [{"type": "hologram"}]}]})


def test_every_kind_of_item_is_known() -> None:
    for kind, shape in wire.ITEMS.items():
        if shape is wire.AnyItem:
            _, (item,) = wire.check({"input": [{"type": kind, "anything": 1}]})
            assert isinstance(item, wire.AnyItem)
    _, (item,) = wire.check({"input": [{"id": "msg_1"}]})
    assert isinstance(item, wire.AnyItem)


@pytest.mark.parametrize(
    ("tool", "local"),
    [
        ({"type": "function"}, True),
        ({"type": "shell"}, True),
        ({"type": "shell", "environment": {"type": "local"}}, True),
        ({"type": "shell", "environment": {"type": "container_auto"}}, False),
        ({"type": "shell", "environment": "odd"}, False),
        ({"type": "web_search"}, False),
        ({}, False),
    ],
)
def test_which_tools_run_at_the_client(tool: dict[str, Any], local: bool) -> None:
    assert wire.runs_at_client(tool) is local
