"""Requests read into neutral ones."""

from typing import Any

import pytest

from conflux.dialects import call_ids, signatures
from conflux.dialects.base import Place
from conflux.neutral.request import (
    File,
    Image,
    Opaque,
    Output,
    Part,
    Reasoning,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.dialects.messages import MESSAGES, body, read

CACHE = {"type": "ephemeral"}


def part(role: str = "user", **fields: Any) -> Part:
    (found,) = read(messages=[{"role": role, "content": [fields]}]).messages[0].parts
    return found


def test_case_12_system_as_blocks_keeps_its_cache_marks() -> None:
    system = [{"type": "text", "text": "a", "cache_control": CACHE}, {"type": "text", "text": ""}]
    first = read(system=system).messages[0]
    assert first.role is Role.SYSTEM and first.parts == (Text(text="a", cache=CACHE),)
    assert read(system="b").messages[0].parts == (Text(text="b"),)
    assert read(system="").messages[0].role is Role.USER


def test_case_13_a_system_message_amid_the_conversation() -> None:
    found = read(messages=[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}])
    assert [message.role for message in found.messages] == [Role.USER, Role.SYSTEM]


def test_the_billing_line_is_told_apart() -> None:
    line = "x-anthropic-billing-header: cc=1"
    for system in (line + "\nrest", [{"type": "text", "text": line}, {"type": "text", "text": "rest"}]):
        billing, rest = read(system=system).messages[0].parts
        assert isinstance(billing, Opaque) and billing.value == line and rest == Text(text="rest")


B64 = {"type": "base64", "media_type": "image/png", "data": "AA"}


@pytest.mark.parametrize(
    ("block", "neutral"),
    [
        ({"type": "text", "text": "a", "citations": [{"x": 1}]}, Text(text="a", extra={"citations": [{"x": 1}]})),
        ({"type": "image", "source": B64}, Image(data="AA", media_type="image/png")),
        ({"type": "image", "source": {"type": "url", "url": "u"}}, Image(url="u")),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, File(file_id="f", media_type="image/*")),
        ({"type": "document", "source": {**B64, "media_type": "application/pdf"}, "title": "t", "context": "c",
          "citations": {"enabled": True}},
         File(data="AA", media_type="application/pdf", name="t",
              extra={"context": "c", "citations": {"enabled": True}})),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
         File(data="d", media_type="text/plain")),
        ({"type": "document", "source": {"type": "url", "url": "u"}}, File(url="u", media_type="application/pdf")),
        ({"type": "document", "source": {"type": "content", "content": "d"}}, File(data="d", media_type="text/plain")),
        ({"type": "thinking", "thinking": "t", "signature": "s"},
         Thinking(text="t", signature="s", issuer="anthropic-messages")),
        ({"type": "thinking", "thinking": "t", "signature": ""}, Thinking(text="t")),
        ({"type": "thinking", "thinking": "t", "signature": signatures.wrap("s", "gemini", "anthropic-messages")},
         Thinking(text="t", signature="s", issuer="gemini")),
        ({"type": "redacted_thinking", "data": "d"}, Thinking(redacted="d", issuer="anthropic-messages")),
        ({"type": "tool_use", "id": "i", "name": "n", "input": {"a": "ä"}},
         ToolCall(id="i", name="n", arguments='{"a":"ä"}')),
        ({"type": "tool_use", "id": call_ids.wrap("f:0"), "name": "n", "input": {}},
         ToolCall(id="f:0", name="n", arguments="{}")),
        ({"type": "tool_result", "tool_use_id": "i"}, ToolResult(call_id="i", content=())),
        ({"type": "tool_result", "tool_use_id": "i", "content": "r", "is_error": True, "cache_control": CACHE},
         ToolResult(call_id="i", content=(Text(text="r"),), is_error=True, cache=CACHE)),
        ({"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": ""},
          {"type": "image", "source": B64}, {"type": "tool_reference", "tool_name": "x"}]},
         ToolResult(call_id="i", content=(Image(data="AA", media_type="image/png"), Opaque(
             dialect="anthropic-messages", kind="tool_reference",
             value={"type": "tool_reference", "tool_name": "x"})))),
    ],
)  # fmt: skip
def test_blocks(block: Any, neutral: Part) -> None:
    assert part(**block) == neutral


def test_blocks_that_only_this_dialect_understands_are_carried_whole() -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}, "future": True}
    assert part("assistant", **use) == Opaque(dialect="anthropic-messages", kind="server_tool_use", value=use)
    blocks: Any = {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}}
    found = part(**blocks)
    assert isinstance(found, Opaque) and found.value == blocks


def test_case_42_empty_text_is_no_part() -> None:
    found = read(messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}, {"role": "assistant",
                 "content": ""}])  # fmt: skip
    assert [message.parts for message in found.messages] == [(), ()]


def test_case_31_tools_and_which_to_use() -> None:
    tool = {"name": "f", "description": "d", "input_schema": {"type": "object"}, "defer_loading": True}
    server = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    found = read(tools=[tool, server], tool_choice={"type": "any", "disable_parallel_tool_use": True})
    assert found.tools == (
        Tool(name="f", description="d", schema={"type": "object"}, raw=tool),
        Tool(name="web_search", kind="web_search_20250305", raw=server),
    )
    assert found.tool_choice == ToolChoice("required") and found.parallel_tool_calls is False
    assert read(tool_choice={"type": "tool", "name": "f"}).tool_choice == ToolChoice("named", "f")
    assert read(tool_choice={"type": "none"}).parallel_tool_calls is None


SCHEMA = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("fields", "reasoning", "output"),
    [
        ({}, None, Output()),
        ({"thinking": {"type": "adaptive"}}, Reasoning(enabled=True), Output()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(enabled=True, budget=2000), Output()),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
         Reasoning(enabled=False, effort="low"), Output()),
        ({"output_config": {"effort": "max", "format": {"type": "json_schema", "schema": SCHEMA}}},
         Reasoning(effort="max"), Output(kind="json_schema", schema=SCHEMA, strict=True)),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, None,
         Output(kind="json_schema", schema=SCHEMA, strict=True)),
    ],
)  # fmt: skip
def test_thinking_and_the_shape_of_the_answer(fields: Any, reasoning: Reasoning | None, output: Output) -> None:
    found = read(**fields)
    assert (found.reasoning, found.output) == (reasoning, output)


def test_what_has_no_record_is_extra() -> None:
    found = read(context_management={"edits": []}, thinking={"type": "adaptive", "display": "omitted"},
                 metadata={"user_id": "u", "team": "t"}, service_tier="auto", top_k=4,
                 stop_sequences=["x"])  # fmt: skip
    assert found.extra == {
        "context_management": {"edits": []}, "thinking.display": "omitted", "metadata.team": "t",
        "service_tier": "auto",
    }  # fmt: skip
    assert found.user == "u" and found.sampling.top_k == 4 and found.sampling.stop == ("x",)
    envelope = MESSAGES.open(body(), Place(headers={"anthropic-beta": "a,b"}))
    assert MESSAGES.read_request(envelope).extra == {"anthropic-beta": "a,b"}
