"""Requests written: the golden table, and requests of other dialects."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_write import fit
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    Audio,
    Image,
    Message,
    Opaque,
    Output,
    Part,
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
from tests.dialects.golden import GoldenRequest, requests

CHAT = OpenAIChat()
UP = Shape(model="up")
CACHE = {"type": "ephemeral"}


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_written(golden: GoldenRequest) -> None:
    request = CHAT.read_request(CHAT.open(golden.wire))
    assert CHAT.write_request(request, Shape(**golden.shape)).body == golden.written


def written(*messages: Message, shape: Shape = UP, dialect: str = "anthropic-messages", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        CHAT.write_request(Request(dialect=dialect, messages=messages, **more), shape).body
    )
    return found


def said(role: Role, *parts: Part, **more: Any) -> Any:
    return written(Message(role=role, parts=parts), **more)["messages"]


def test_case_08_results_beside_words_are_messages_of_their_own_and_come_first() -> None:
    results = [ToolResult(call_id=f"c{number}", content=(Text(text=str(number)),)) for number in range(2)]
    assert said(Role.USER, results[0], Text(text="and?"), results[1]) == [
        {"role": "tool", "tool_call_id": "c0", "content": "0"},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "user", "content": "and?"},
    ]


def test_case_12_cache_marks_of_another_wire_are_not_sent() -> None:
    assert said(Role.SYSTEM, Text(text="a", cache=CACHE)) == [{"role": "system", "content": "a"}]
    assert said(Role.SYSTEM, Text(text="a", cache=CACHE), Text(text="b")) == [{"role": "system", "content": "a\n\nb"}]
    own = said(Role.SYSTEM, Text(text="a", cache=CACHE), dialect="openai-chat")
    assert own[0]["content"] == [{"type": "text", "text": "a", "cache_control": CACHE}]


def test_case_15_developer_to_an_upstream_that_knows_none() -> None:
    strict = Shape(model="up", quirks={"developer_role": False})
    assert said(Role.DEVELOPER, Text(text="a"), shape=strict)[0]["role"] == "system"
    assert said(Role.DEVELOPER, Text(text="a"))[0]["role"] == "developer"


def test_case_26_what_only_its_own_dialect_understands_stays_behind() -> None:
    opaque = Opaque(dialect="anthropic-messages", kind="server_tool_use", value={})
    thinking = Thinking(text="", redacted="x")
    assert said(Role.ASSISTANT, thinking, opaque, Text(text="a")) == [{"role": "assistant", "content": "a"}]
    assert written(Message(role=Role.USER, parts=(Text(text="a"),)), metadata={"user_id": "u"}, extra={"top": 1}) == {
        "model": "up",
        "messages": [{"role": "user", "content": "a"}],
    }


def test_an_assistant_that_said_nothing_says_an_empty_text() -> None:
    assert said(Role.ASSISTANT) == [{"role": "assistant", "content": ""}]
    assert said(Role.ASSISTANT, Refusal(text="No.")) == [{"role": "assistant", "content": None, "refusal": "No."}]
    call = ToolCall(id="c", name="f", arguments="")
    assert said(Role.ASSISTANT, call)[0]["content"] is None
    assert said(Role.ASSISTANT, call)[0]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}


def test_a_refusal_of_anybody_else_is_a_part() -> None:
    assert said(Role.USER, Refusal(text="No."))[0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_a_result_without_content_is_an_empty_text() -> None:
    assert said(Role.TOOL, ToolResult(call_id="c", content=()))[0]["content"] == ""


def test_case_32_images_are_never_dropped() -> None:
    found = said(
        Role.USER, Image(url="https://a/"), Image(data="AA"), Image(data="BB", media_type="image/gif", detail="low")
    )[0]["content"]
    assert [part["image_url"] for part in found] == [
        {"url": "https://a/"},
        {"url": "data:image/png;base64,AA"},
        {"url": "data:image/gif;base64,BB", "detail": "low"},
    ]
    assert said(Role.USER, Audio(data="A", format="mp3"))[0]["content"][0]["type"] == "input_audio"


def test_options_of_another_dialect() -> None:
    found = written(
        Message(role=Role.USER, parts=(Text(text="a"),)),
        max_output=9,
        tools=(Tool(name="f", schema={"type": "object"}),),
        tool_choice=ToolChoice("named", "f"),
        sampling=Sampling(temperature=0, stop=("x",), n=2),
        output=Output(kind="json_schema", schema={"type": "object"}),
        reasoning=Reasoning(budget=1000),
        user="u",
    )
    assert found == {
        "model": "up",
        "messages": [{"role": "user", "content": "a"}],
        "temperature": 0.0,
        "stop": ["x"],
        "n": 2,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
        "reasoning_effort": "low",
        "user": "u",
        "max_tokens": 9,
    }


def test_case_33_tools_of_another_dialect_are_written_in_our_words() -> None:
    foreign = {"type": "custom", "name": "patch", "format": {"type": "grammar"}}
    message = Message(role=Role.USER, parts=(Text(text="a"),))
    (found,) = written(message, tools=(Tool(name="patch", description="d", kind="custom", raw=foreign),))["tools"]
    assert found == {"type": "custom", "custom": {"name": "patch", "description": "d"}}
    own = {"type": "function", "function": {"name": "f", "strict": None, "future": 1}}
    (found,) = written(message, tools=(Tool(name="f", raw=own),), dialect="openai-chat")["tools"]
    assert found == own


def test_case_41_a_server_tool_of_another_dialect_is_left_out_and_named_or_refused_where_forced() -> None:
    tool = Tool(name="web_search", kind="web_search_20250305", raw={"type": "web_search_20250305"})
    asked = Message(role=Role.USER, parts=(Text(text="x"),))
    request = Request(dialect="anthropic-messages", messages=(asked,), tools=(tool,), parallel_tool_calls=True)
    found = CHAT.write_request(request, UP)
    assert found.dropped == ("tools.web_search_20250305",)
    assert set(json.loads(found.body)) == {"model", "messages"}
    with pytest.raises(GatewayError, match="web_search_20250305"):
        written(asked, tools=(tool,), tool_choice=ToolChoice("named", "web_search"))


def test_case_11_long_names_are_shortened_and_known_again() -> None:
    long = "a_very_long_name_of_a_tool_" * 4
    found = CHAT.write_request(Request(dialect="d", messages=(), tools=(Tool(name=long),)), UP)
    (tool,) = json.loads(found.body)["tools"]
    assert len(tool["function"]["name"]) == 64 and found.names == {tool["function"]["name"]: long}


def test_case_06_what_tools_gave_beside_text_follows_all_results() -> None:
    image = Image(data="QUJD", media_type="image/png")
    results = (
        Message(role=Role.TOOL, parts=(ToolResult(call_id="a", content=(image,)),)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="b", content=(Text(text="two"), image)),)),
    )
    then = Message(role=Role.USER, parts=(Text(text="and?"),))
    for after in ((), (then,)):
        first, second, beside, *rest = written(*results, *after)["messages"]
        assert (first["role"], first["tool_call_id"], type(first["content"])) == ("tool", "a", str)
        assert second == {"role": "tool", "tool_call_id": "b", "content": "two"}
        kinds = [part["type"] for part in beside["content"]]
        assert beside["role"] == "user" and kinds == ["text", "image_url", "text", "image_url"]
        assert [message["content"] for message in rest] == ["and?" for _ in after]


def test_what_another_dialect_says_and_this_cannot_is_named() -> None:
    request = Request(
        dialect="openai-responses", messages=(), metadata={"a": "b"}, reasoning=Reasoning(effort="low", summary="auto"),
        extra={"truncation": "auto"},
    )  # fmt: skip
    found = CHAT.write_request(request, UP)
    assert found.dropped == ("truncation", "metadata", "reasoning.summary")
    assert set(json.loads(found.body)) == {"model", "messages", "reasoning_effort"}


def test_a_part_without_a_place_is_refused_by_name() -> None:
    result = ToolResult(call_id="c", content=(Thinking(text="x"),))  # type: ignore[arg-type]
    with pytest.raises(GatewayError, match="Thinking"):
        said(Role.TOOL, result, dialect="openai-chat")


@pytest.mark.parametrize(
    ("body", "shape", "fitted"),
    [
        ({}, {}, {}),
        ({"max_tokens": 5}, {}, {"max_tokens": 5}),
        ({"max_tokens": None}, {}, {}),
        ({"max_tokens": 5, "max_completion_tokens": None}, {}, {"max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 4}, {}, {"max_completion_tokens": 4}),
        ({"max_tokens": 5}, {"max_output": 3}, {"max_tokens": 3}),
        ({}, {"max_output": 3}, {"max_tokens": 3}),
        ({"max_completion_tokens": 4}, {"quirks": {"max_tokens_field": "max_tokens"}}, {"max_tokens": 4}),
        ({"temperature": None}, {"temperature": 0.7}, {"temperature": 0.7}),
        ({"temperature": 0}, {"temperature": 0.7}, {"temperature": 0}),
        ({"reasoning_effort": "low"}, {"effort": "high"}, {"reasoning_effort": "high"}),
        ({"reasoning_effort": "low"}, {}, {"reasoning_effort": "low"}),
    ],
)
def test_case_39_what_the_target_fixes(body: dict[str, Any], shape: dict[str, Any], fitted: dict[str, Any]) -> None:
    assert fit(body, Shape(model="up", **shape)) == ()
    assert body == {"model": "up", **fitted}


def test_a_fixed_effort_leaves_no_room_for_another_way_to_say_it() -> None:
    body: dict[str, Any] = {"reasoning": {"effort": "low"}}
    assert fit(body, Shape(model="up", effort="high")) == ("reasoning",)
    assert body == {"model": "up", "reasoning_effort": "high"}
