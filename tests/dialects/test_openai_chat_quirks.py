"""What an upstream would refuse is said another way, left out and named, or refused by name."""

from copy import deepcopy
from typing import Any

import pytest

from conflux.dialects.base import Shape
from conflux.dialects.openai_chat_quirks import suit
from conflux.neutral.errors import GatewayError

TOOL = {"type": "function", "function": {"name": "f", "strict": True}}
HI = {"role": "user", "content": "Hi"}


def suited(body: dict[str, Any], model: str = "up", **quirks: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    full = {"messages": [HI], **body}
    before = deepcopy(full)
    out = dict(full)
    dropped = suit(out, Shape(model=model, quirks=quirks))
    assert full == before  # the caller's own values are not touched
    if "messages" not in body and out["messages"] == [HI]:
        del out["messages"]
    return out, dropped


SAID: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    # body, quirks, what goes out, what is named
    ({"tools": []}, {}, {}, ()),
    ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, {}, {}, ()),
    ({"tool_choice": "none"}, {}, {}, ()),
    ({"functions": [], "function_call": "auto"}, {}, {}, ()),
    ({"stop": []}, {}, {}, ()),
    ({"stop": list("abcd")}, {}, {"stop": list("abcd")}, ()),
    ({"n": 1}, {"choices": False}, {}, ()),
    ({"tools": [TOOL], "parallel_tool_calls": False}, {"parallel_tools": False}, {"tools": [TOOL]},
     ("parallel_tool_calls",)),
    ({"tools": [TOOL]}, {"strict_tools": False}, {"tools": [{"type": "function", "function": {"name": "f"}}]},
     ("tools.strict",)),
    ({"stream": True, "stream_options": {"include_usage": True}}, {"stream_usage": False}, {"stream": True}, ()),
    ({"temperature": 1, "top_p": 1, "seed": 5}, {"fixed_sampling_models": ["u"]}, {"seed": 5},
     ("temperature", "top_p")),
    ({"temperature": 1}, {"fixed_sampling_models": ["x"]}, {"temperature": 1}, ()),
    ({"seed": 1, "user": "u"}, {"refuses": ["seed", "user", "metadata"]}, {}, ("seed", "user")),
    ({"reasoning_effort": "low"}, {"reasoning": "none"}, {}, ("reasoning_effort",)),
    ({"reasoning_effort": "none"}, {"reasoning": "none"}, {}, ()),
    ({"reasoning_effort": "low"}, {"reasoning": "object"}, {"reasoning": {"effort": "low"}}, ()),
    ({"reasoning_effort": "none"}, {"reasoning": "object"}, {"reasoning": {"enabled": False}}, ()),
    ({"reasoning_effort": "low"}, {"reasoning": "thinking"}, {"thinking": {"type": "enabled"}}, ("reasoning_effort",)),
    ({"reasoning_effort": "low"}, {"reasoning": "thinking", "efforts": ["low"]},
     {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, ()),
    ({"reasoning_effort": "none"}, {"reasoning": "thinking", "efforts": ["none"]},
     {"thinking": {"type": "disabled"}}, ()),
    ({"tool_choice": "none", "tools": [TOOL]}, {"no_tools_word": False}, {}, ()),
    ({"reasoning_effort": "none"}, {"reasoning": "thinking"}, {"thinking": {"type": "disabled"}}, ()),
    ({"reasoning_effort": "low"}, {"reasoning": "enable_thinking"}, {"enable_thinking": True}, ("reasoning_effort",)),
    ({"reasoning_effort": "low", "chat_template_kwargs": {"x": 1}}, {"reasoning": "template"},
     {"chat_template_kwargs": {"enable_thinking": True, "thinking": True, "x": 1}}, ("reasoning_effort",)),
    ({}, {"reasoning": "thinking"}, {}, ()),
    ({"messages": [{"role": "developer", "content": "a"}]}, {"developer_role": False},
     {"messages": [{"role": "system", "content": "a"}]}, ()),
    ({"messages": [{"role": "assistant", "reasoning_content": "hm"}]}, {"reasoning_back": "reasoning"},
     {"messages": [{"role": "assistant", "reasoning": "hm"}]}, ()),
    ({"messages": [{"role": "assistant", "reasoning_content": "hm"}]}, {"reasoning_back": "none"},
     {"messages": [{"role": "assistant"}]}, ("reasoning_content",)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "quirks", "sent", "named"), SAID)
def test_what_is_said_another_way(
    body: dict[str, Any], quirks: dict[str, Any], sent: dict[str, Any], named: tuple[str, ...]
) -> None:
    assert suited(body, **quirks) == (sent, named)


@pytest.mark.parametrize(
    ("body", "quirks", "param"),
    [
        ({"tool_choice": "required"}, {}, "tool_choice"),
        ({"function_call": {"name": "f"}}, {}, "tool_choice"),
        ({"stop": list("abcde")}, {}, "stop"),
        ({"stop": ["a", "b"]}, {"most_stops": 1}, "stop"),
        ({"n": 2}, {"choices": False}, "n"),
        ({"tools": [TOOL], "tool_choice": "required"}, {"required_tools": False}, "tool_choice"),
        ({"response_format": {"type": "json_schema"}}, {"json_schema": False}, "response_format.json_schema"),
    ],
)
def test_what_was_demanded_is_refused_by_name(body: dict[str, Any], quirks: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as error:
        suited(body, **quirks)
    assert error.value.param == param and error.value.message.startswith(f"{param}: ")
