"""Requests written: its own as they came, other dialects' as this wire says them."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape, Written
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    Audio,
    File,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from tests.dialects.messages import MESSAGES, read

UP = Shape(model="up", max_output=100)
CACHE = {"type": "ephemeral"}


def write(*messages: Message, dialect: str = "openai-chat", shape: Shape = UP, **more: Any) -> Written:
    return MESSAGES.write_request(Request(dialect=dialect, messages=messages, **more), shape)


def written(*messages: Message, **more: Any) -> Any:
    return json.loads(write(*messages, **more).body)


def user(*parts: Part | str) -> Message:
    return Message(role=Role.USER, parts=tuple(Text(text=one) if isinstance(one, str) else one for one in parts))


def said(role: Role, *parts: Part | str) -> Message:
    return Message(role=role, parts=user(*parts).parts)


OWN: dict[str, Any] = {
    "system": [{"type": "text", "text": "s", "cache_control": CACHE}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "document", "title": "t", "source":
         {"type": "text", "media_type": "text/plain", "data": "d"}, "citations": {"enabled": True}}]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "redacted_thinking", "data": "r"},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "text", "text": "b", "citations": [{"type": "page_location"}]},
            {"type": "tool_use", "id": "t1", "name": "a_name_that_is_longer_than_others_would_take_it_" * 2,
             "input": {"x": 1}, "cache_control": CACHE}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r", "is_error": True},
                                     {"type": "image", "source": {"type": "url", "url": "u"}}]},
    ],
    "temperature": 0.5, "top_p": 0.9, "top_k": 3, "stop_sequences": ["x"],
    "tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
              {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "omitted"},
    "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "max"},
    "metadata": {"user_id": "u", "team": "x"},
    "context_management": {"edits": []}, "mcp_servers": [],
}  # fmt: skip


def test_what_came_in_on_this_wire_goes_out_as_it_came() -> None:
    found = MESSAGES.write_request(read(**OWN), UP)
    assert json.loads(found.body) == {"model": "up", "max_tokens": 100, **OWN}
    assert found.dropped == () and found.names == {} and found.head == b"anthropic-version: 2023-06-01\r\n"


def test_what_is_never_forwarded_is_named() -> None:
    found = MESSAGES.write_request(read(service_tier="auto", speed="fast"), UP)
    assert found.dropped == ("service_tier", "speed") and b"fast" not in found.body


def test_betas_go_to_their_own_dialect() -> None:
    request = Request(dialect="anthropic-messages", messages=(user("a"),), extra={"anthropic-beta": "x,y"})
    found = MESSAGES.write_request(request, UP)
    assert found.head.endswith(b"\r\nanthropic-beta: x,y\r\n") and b"beta" not in found.body


def test_the_billing_line_goes_only_to_whom_it_is_for() -> None:
    line = {"type": "text", "text": "x-anthropic-billing-header: a"}
    request = read(system=[line, {"type": "text", "text": "s"}])
    found = MESSAGES.write_request(request, UP)
    assert json.loads(found.body)["system"] == "s" and found.dropped == ("x-anthropic-billing-header",)
    first = MESSAGES.write_request(request, Shape(model="up", quirks={"billing_line": True}))
    assert json.loads(first.body)["system"][0] == line and first.dropped == ()


def test_case_13_and_14_system_messages() -> None:
    messages = (said(Role.SYSTEM, "a"), said(Role.DEVELOPER, "b"), user("c"), said(Role.DEVELOPER, "d"))
    found = written(*messages)
    assert [block["text"] for block in found["system"]] == ["a", "b"]
    assert found["messages"] == [{"role": "user", "content": [
        {"type": "text", "text": "c"}, {"type": "text", "text": "<system>\nd\n</system>"}]}]  # fmt: skip
    only = written(said(Role.SYSTEM, "a"))
    assert only["messages"] == [{"role": "user", "content": [{"type": "text", "text": "a"}]}] and "system" not in only
    own = read(messages=[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}])
    kept = MESSAGES.write_request(own, Shape(model="up", quirks={"system_messages": True}))
    assert [one["role"] for one in json.loads(kept.body)["messages"]] == ["user", "system"]
    assert json.loads(MESSAGES.write_request(own, UP).body)["messages"][0]["content"][1]["text"].startswith("<system>")


def test_case_08_and_09_results_are_one_message_right_after_their_calls() -> None:
    calls = tuple(ToolCall(id=name, name="f", arguments="") for name in "ab")
    results = [said(Role.TOOL, ToolResult(call_id=name, content=(Text(text=name),))) for name in "ab"]
    found = written(user("x"), Message(role=Role.ASSISTANT, parts=calls), user("wait"), *results, user("and?"))
    assert [message["role"] for message in found["messages"]] == ["user", "assistant", "user"]
    assert found["messages"][1]["content"][0] == {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    kinds = [block["type"] for block in found["messages"][2]["content"]]
    assert kinds == ["tool_result", "tool_result", "text", "text"]


def test_case_10_and_11_ids_and_names_that_fit() -> None:
    long = "x" * 80
    call = ToolCall(id="functions.f:0", name=long, arguments="{}")
    result = said(Role.TOOL, ToolResult(call_id="functions.f:0", content=()))
    found = write(user("a"), Message(role=Role.ASSISTANT, parts=(call,)), result, tools=(Tool(name=long),))
    body = json.loads(found.body)
    use = body["messages"][1]["content"][0]
    assert body["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": use["id"]}]
    assert found.names == {use["name"]: long} and len(use["name"]) == 64 and body["tools"][0]["name"] == use["name"]


def test_case_25_thinking_of_other_issuers_is_left_out_and_named() -> None:
    foreign = Thinking(text="t", signature="s", issuer="gemini")
    unsigned = Thinking(text="t")
    own = Thinking(text="t", signature="s", issuer="anthropic-messages")
    found = write(user("a"), Message(role=Role.ASSISTANT, parts=(foreign, unsigned, own, Text(text="b"))))
    blocks = json.loads(found.body)["messages"][1]["content"]
    assert blocks == [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "b"}]
    assert found.dropped == ("reasoning signature", "thinking without a signature")


def test_case_32_images_and_files() -> None:
    found = write(user(Image(url="u", detail="low"), Image(data="AA"),
                       File(data="d", media_type="text/plain", name="n"),
                       File(data="AA", media_type="application/pdf", extra={"context": "c"}),
                       File(file_id="f")))  # fmt: skip
    sources = [block["source"] for block in json.loads(found.body)["messages"][0]["content"]]
    assert sources == [
        {"type": "url", "url": "u"},
        {"type": "base64", "media_type": "image/png", "data": "AA"},
        {"type": "text", "media_type": "text/plain", "data": "d"},
        {"type": "base64", "media_type": "application/pdf", "data": "AA"},
        {"type": "file", "file_id": "f"},
    ]
    assert found.dropped == ("context", "image_url.detail")


@pytest.mark.parametrize("part", [Audio(data="A", format="mp3"), File(data="A", media_type="application/zip")])
def test_what_has_no_place_is_refused_by_name(part: Part) -> None:
    with pytest.raises(GatewayError) as caught:
        write(user(part))
    assert caught.value.param == "messages" and ("audio" in caught.value.message or "zip" in caught.value.message)


def test_the_rest_of_what_others_say() -> None:
    other = Opaque(dialect="openai-chat", kind="audio", value={})
    messages = (Message(role=Role.USER, parts=(Text(text="a", cache=CACHE),), name="ann"),
                said(Role.ASSISTANT, Refusal(text="No."), other, ToolCall(id="c", name="f",
                     arguments="[1]")))  # fmt: skip
    found = write(
        *messages, extra={"prompt_cache_key": 1}, metadata={"a": "b"}, user="u", shape=Shape(model="up", stream=True)
    )
    body = json.loads(found.body)
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": CACHE}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."},
                                          {"type": "tool_use", "id": "c", "name": "f", "input": {"input": "[1]"}}]},
    ]  # fmt: skip
    assert body["stream"] is True and body["metadata"] == {"user_id": "u"} and body["max_tokens"] == 4096
    assert found.dropped == ("audio", "messages.name", "metadata", "prompt_cache_key")
