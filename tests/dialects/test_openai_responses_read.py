"""Requests read: every kind of item, its order, and what stays the dialect's own."""

import json
from typing import Any

import pytest

from conflux.dialects.openai_responses import OpenAIResponses
from conflux.dialects.openai_responses_read import ECHOED, redacted_issuer, unwrapped
from conflux.dialects.signatures import wrap
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    Audio,
    File,
    Image,
    Message,
    Opaque,
    Output,
    Reasoning,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

RESPONSES = OpenAIResponses()
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}


def read(items: Any, **more: Any) -> Request:
    return RESPONSES.read_request(RESPONSES.open(json.dumps({"model": "m", "input": items, **more}).encode()))


def messages(*items: Any, **more: Any) -> tuple[Message, ...]:
    return read(list(items), **more).messages


def said(role: Role, *parts: Any) -> Message:
    return Message(role=role, parts=parts)


def test_a_text_is_what_the_user_says() -> None:
    assert read("Hi", instructions="Be brief").messages == (
        said(Role.SYSTEM, Text(text="Be brief")), said(Role.USER, Text(text="Hi")),
    )  # fmt: skip


def test_case_14_several_developers_and_empty_texts() -> None:
    parts = [{"type": "input_text", "text": ""}, {"type": "input_text", "text": "b"}]
    assert messages({"role": "developer", "content": "a"}, {"role": "developer", "content": parts}) == (
        said(Role.DEVELOPER, Text(text="a")), said(Role.DEVELOPER, Text(text="b")),
    )  # fmt: skip


def test_every_kind_of_part() -> None:
    parts = [
        IMAGE,
        {"type": "input_image", "image_url": "https://e/x.png", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
        {"type": "input_file", "file_url": "https://e/x.pdf"},
        {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
    ]
    (message,) = messages({"role": "user", "content": parts})
    assert message.parts == (
        Image(data="QUJD", media_type="image/png"),
        Image(url="https://e/x.png", detail="low"),
        File(data="QQ==", media_type="application/pdf", name="a.pdf"),
        File(url="https://e/x.pdf"),
        Audio(data="QQ==", format="wav"),
    )


def test_what_one_answer_said_is_one_message_and_results_follow_at_once() -> None:
    found = messages(
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "r"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}", "namespace": "ns"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
        {"role": "user", "content": "between"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "two"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "one"}, IMAGE]},
    )
    answer = said(
        Role.ASSISTANT, Thinking(text="hm"), Text(text="a"), Refusal(text="r"),
        ToolCall(id="c1", name="ns__f", arguments="{}"), ToolCall(id="c2", name="g", arguments="x", custom=True),
    )  # fmt: skip
    one = ToolResult(call_id="c1", content=(Text(text="one"), Image(data="QUJD", media_type="image/png")))
    two = ToolResult(call_id="c2", content=(Text(text="two"),), custom=True)
    assert found == (
        said(Role.USER, Text(text="go")), answer, said(Role.TOOL, one), said(Role.TOOL, two),
        said(Role.USER, Text(text="between")),
    )  # fmt: skip


def test_case_09_turns_of_calls_stay_apart() -> None:
    call, output = {"type": "function_call", "name": "f", "arguments": "{}"}, {"type": "function_call_output"}
    found = messages(
        {**call, "call_id": "a"}, {**output, "call_id": "a", "output": "1"},
        {**call, "call_id": "b"}, {**output, "call_id": "b", "output": "2"},
    )  # fmt: skip
    assert [message.role for message in found] == [Role.ASSISTANT, Role.TOOL] * 2


@pytest.mark.parametrize(
    "items",
    [
        [{"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}],
        [{"type": "function_call_output", "call_id": "a", "output": "1"}],
    ],
)
def test_a_call_or_a_result_alone_is_refused(items: Any) -> None:
    with pytest.raises(GatewayError, match="'a'"):
        read(items)


def test_case_07_a_text_that_is_parts_with_an_image_is_unwrapped() -> None:
    wrapped = json.dumps([{"type": "input_text", "text": "see"}, IMAGE])
    assert isinstance(unwrapped(wrapped), list)
    for other in ("[]", "plain", '["input_image"', '[{"type":"input_text","text":"\\"input_image\\""}]', '[{"a":1}]'):
        assert unwrapped(other) == other


def test_case_25_to_27_seals_know_their_issuer() -> None:
    sealed = {"type": "reasoning", "summary": []}
    found = messages(
        {**sealed, "encrypted_content": "own"},
        {**sealed, "encrypted_content": wrap("sig", "anthropic-messages", "openai-responses")},
        {**sealed, "encrypted_content": wrap("x", redacted_issuer("anthropic-messages"), "openai-responses")},
    )
    assert found[0].parts == (
        Thinking(signature="own", issuer="openai-responses"),
        Thinking(signature="sig", issuer="anthropic-messages"),
        Thinking(redacted="x", issuer="anthropic-messages"),
    )


def test_the_clients_shell() -> None:
    call = {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}, "status": "x"}
    found = messages(call, {"type": "local_shell_call_output", "call_id": "c", "output": "a.txt"})
    (part,) = found[0].parts
    assert isinstance(part, ToolCall) and json.loads(part.arguments) == call["action"] and part.name == "local_shell"
    assert found[1].parts == (ToolResult(call_id="c", content=(Text(text="a.txt"),)),)


def test_what_only_its_provider_reads_is_carried_whole() -> None:
    search, compaction = {"type": "web_search_call", "id": "ws"}, {"type": "compaction", "encrypted_content": "x"}
    (found,) = messages(compaction, search)
    assert found.parts == (
        Opaque(dialect="openai-responses", kind="compaction", value=compaction, vital=True),
        Opaque(dialect="openai-responses", kind="web_search_call", value=search),
    )


def test_parameters() -> None:
    schema = {"type": "object"}
    found = read(
        "x", reasoning={"effort": "low", "summary": "auto", "odd": 1}, max_output_tokens=9, temperature=1, top_p=0.5,
        text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}, "verbosity": "low"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs", "web_search_call.results"],
        top_logprobs=3, user="u", metadata={"a": "b"}, store=True, truncation="auto", prompt_cache_key="k",
        max_tool_calls=2, safety_identifier="s", service_tier="flex", parallel_tool_calls=False,
    )  # fmt: skip
    assert found.reasoning == Reasoning(effort="low", summary="auto")
    assert found.output == Output(kind="json_schema", name="n", schema=schema, strict=True)
    assert (found.max_output, found.sampling.logprobs, found.sampling.top_logprobs) == (9, True, 3)
    assert read("x", top_logprobs=0).sampling.top_logprobs is None, "chat refuses it without logprobs"
    assert (found.user, found.metadata, found.parallel_tool_calls) == ("u", {"a": "b"}, False)
    assert set(found.extra) == {
        "reasoning.odd", "text.verbosity", "include.web_search_call.results", "store", "truncation",
        "prompt_cache_key", "max_tool_calls", "safety_identifier", "service_tier",
    }  # fmt: skip
    assert found.echo.keys() <= {*ECHOED, "include"}


def test_what_everybody_does_is_no_loss() -> None:
    assert read("x", store=False, truncation="disabled", background=False, stream=True, metadata=None).extra == {}
