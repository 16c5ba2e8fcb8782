"""Requests written: what came in this way goes out the same, other dialects' as far as there is a place."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape, Written
from conflux.dialects.gemini_ids import sign
from conflux.dialects.openai_responses import OpenAIResponses
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    File,
    Image,
    Message,
    Opaque,
    Output,
    Reasoning,
    Refusal,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

RESPONSES = OpenAIResponses()
UP = Shape(model="up")


def write(*messages: Message, shape: Shape = UP, dialect: str = "openai-chat", **more: Any) -> Written:
    return RESPONSES.write_request(Request(dialect=dialect, messages=messages, **more), shape)


def body(*messages: Message, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write(*messages, **more).body)
    return found


def said(role: Role, *parts: Any) -> Message:
    return Message(role=role, parts=parts)


def test_what_came_in_this_way_goes_out_the_same() -> None:
    sent = {
        "model": "m",
        "instructions": "be",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "own"},
            {"type": "web_search_call", "id": "ws"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "1"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "low", "odd": 1},
        "include": ["reasoning.encrypted_content", "x.y"],
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "store": True,
    }
    request = RESPONSES.read_request(RESPONSES.open(json.dumps(sent).encode()))
    found = RESPONSES.write_request(request, UP)
    del sent["service_tier"]
    assert json.loads(found.body) == {**sent, "model": "up", "store": False}
    assert found.dropped == ("service_tier", "store")


def test_roles_and_parts_of_others() -> None:
    found = body(
        said(Role.SYSTEM, Text(text="a")),
        said(Role.SYSTEM, Text(text="b")),
        said(Role.USER, Text(text="u"), Image(data="QQ==", media_type="image/png"), File(data="QQ==")),
        said(Role.ASSISTANT, Text(text="x"), Refusal(text="r"), ToolCall(id="c", name="f", arguments="")),
        said(Role.TOOL, ToolResult(call_id="c", content=(Text(text="1"), Image(url="https://e/i.png")))),
        said(Role.DEVELOPER, Text(text="late")),
        shape=Shape(model="up", quirks={"developer_role": False}),
    )
    assert found["instructions"] == "a\n\nb"
    user, answer, call, result, late = found["input"]
    assert [part["type"] for part in user["content"]] == ["input_text", "input_image", "input_file"]
    assert user["content"][2]["filename"] == "document.pdf"
    assert [part["type"] for part in answer["content"]] == ["output_text", "refusal"]
    assert (call["arguments"], late["role"]) == ("{}", "system")
    assert [part["type"] for part in result["output"]] == ["input_text", "input_image"]  # case 6


def test_case_10_ids_of_calls_are_no_longer_than_is_taken() -> None:
    for call_id in ("x" * 80, sign("call_1", "A" * 400)):
        call = ToolCall(id=call_id, name="f", arguments="{}")
        found = body(said(Role.ASSISTANT, call), said(Role.TOOL, ToolResult(call_id=call_id, content=())))["input"]
        assert found[0]["call_id"] == found[1]["call_id"] and len(found[0]["call_id"]) <= 64


def test_case_25_foreign_and_unsigned_thinking_is_not_sent() -> None:
    thoughts = (Thinking(text="a", signature="s", issuer="anthropic-messages"), Thinking(text="b"))
    found = write(said(Role.ASSISTANT, *thoughts, Text(text="x"), Opaque(dialect="gemini", kind="odd", value=1)))
    assert [item["type"] for item in json.loads(found.body)["input"]] == ["message"]
    assert set(found.dropped) == {"unsigned reasoning", "reasoning signature", "odd"}


def test_tools_choice_and_shape() -> None:
    found = body(
        tools=(Tool(name="f" * 70, description="d"), Tool(name="g", kind="custom")),
        tool_choice=ToolChoice("named", "g"), output=Output(kind="json_schema", schema={"a": 1}),
        reasoning=Reasoning(effort="high"), max_output=7, sampling=Sampling(logprobs=True, top_logprobs=2),
    )  # fmt: skip
    assert len(found["tools"][0]["name"]) == 64 and found["tools"][0]["strict"] is False
    assert found["tools"][0]["parameters"] == {"type": "object", "properties": {}}
    assert found["tool_choice"] == {"type": "custom", "name": "g"}
    assert found["text"] == {"format": {"type": "json_schema", "name": "answer", "schema": {"a": 1}}}
    assert found["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]
    assert (found["max_output_tokens"], found["top_logprobs"], found["store"]) == (7, 2, False)


def test_what_the_target_fixes() -> None:
    shape = Shape(model="up", max_output=5, temperature=0.7, effort="low", stream=True,
                  quirks={"refuses": ["max_output_tokens", "user"]})  # fmt: skip
    found = write(said(Role.USER, Text(text="x")), shape=shape, user="u", reasoning=Reasoning(summary="auto"))
    assert json.loads(found.body).keys() == {"model", "input", "store", "stream", "temperature", "reasoning", "include"}
    assert json.loads(found.body)["reasoning"] == {"summary": "auto", "effort": "low"}
    assert found.dropped == ("user",)


@pytest.mark.parametrize(
    ("field", "sampling"),
    [("stop", Sampling(stop=("x",))), ("n", Sampling(n=2)), ("logit_bias", Sampling(logit_bias={"1": 1.0}))],
)
def test_case_37_what_would_change_the_answer_is_refused(field: str, sampling: Sampling) -> None:
    with pytest.raises(GatewayError) as found:
        write(sampling=sampling)
    assert found.value.param == field


def test_hints_are_left_out_and_named() -> None:
    hints = Sampling(seed=1, top_k=2, frequency_penalty=0.1, presence_penalty=0.2)
    found = write(sampling=hints, extra={"verbosity": "low"})
    assert set(found.dropped) == {"seed", "top_k", "frequency_penalty", "presence_penalty", "verbosity"}
