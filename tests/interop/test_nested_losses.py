"""A field that nobody knows, at every place of a whole conversation: it arrives, is refused by name, or is named.

Law: what a protocol will hold tomorrow cannot be listed, but the places where it can stand can. Inside of schemas,
arguments and commands, which are the client's own, nothing is looked for.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Place, Shape, Written
from conflux.dialects.freeform import as_functions, tools_of
from conflux.neutral.errors import GatewayError
from tests.interop.cases import UPSTREAMS

PNG = "data:image/png;base64,QUJDREVG"
RICH: dict[str, dict[str, Any]] = {}
RICH["openai-chat"] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "sys"}]},
        {"role": "developer", "content": "dev"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": PNG}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "b"}],
            "reasoning_content": "hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "r"}]},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "user", "content": "c"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object", "properties": {}, "additionalProperties": False}},
    },
    "stream_options": {"include_usage": True},
    "stream": True,
}
RICH["openai-responses"] = {
    "model": "m",
    "input": [
        {"type": "message", "role": "developer", "content": "dev"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": PNG},
                {"type": "input_file", "file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "b"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "r"}]},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "x"},
        {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        {"type": "local_shell_call_output", "call_id": "c3", "output": "x"},
        {"type": "message", "role": "user", "content": "c"},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
        {"type": "custom", "name": "p", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
        {
            "type": "namespace",
            "name": "crm",
            "tools": [{"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}}],
        },
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "reasoning": {"effort": "low"},
    "text": {
        "format": {
            "type": "json_schema",
            "name": "n",
            "schema": {"type": "object", "properties": {}, "additionalProperties": False},
        }
    },
}
RICH["anthropic-messages"] = {
    "model": "m",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "sys"}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJDREVG"}},
                {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "QUJD"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "text", "text": "b"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "r"}]},
                {"type": "text", "text": "c"},
            ],
        },
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "output_config": {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {"type": "object", "properties": {}, "additionalProperties": False},
        },
    },
    "metadata": {"user_id": "u"},
}
RICH["gemini"] = {
    "systemInstruction": {"parts": [{"text": "sys"}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "a"},
                {"inlineData": {"mimeType": "image/png", "data": "QUJDREVG"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://a/b"}},
            ],
        },
        {
            "role": "model",
            "parts": [{"text": "hm", "thought": True}, {"text": "b"}, {"functionCall": {"name": "f", "args": {}}}],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]},
        {"role": "user", "parts": [{"text": "c"}]},
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {
        "maxOutputTokens": 100,
        "thinkingConfig": {"thinkingLevel": "low"},
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    },
}

Path = tuple[str | int, ...]
FREE = ("parameters", "schema", "input_schema", "responseSchema", "args", "response", "input", "env", "action")
NAME, VALUE = "nobodyknows", "whatitsays"


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(node, dict):
        yield path
        for name, value in node.items():
            if not (name in FREE and isinstance(value, dict)):
                yield from places(value, (*path, name))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from places(value, (*path, place))


def put(body: dict[str, Any], path: Path) -> dict[str, Any]:
    body = copy.deepcopy(body)
    node: Any = body
    for step in path:
        node = node[step]
    node[NAME] = VALUE
    return body


def written(client: str, body: dict[str, Any], upstream: str) -> Written:
    place = Place(model="m", stream=False) if client == "gemini" else Place()
    envelope = DIALECTS[client].open(json.dumps(body).encode(), place)
    request = DIALECTS[client].read_request(envelope)
    if client != upstream and tools_of(request):
        request = as_functions(request)
    return DIALECTS[upstream].write_request(request, Shape(model="up", max_output=4000, reasons=True))


@pytest.mark.parametrize(("client", "upstream"), [(client, upstream) for client in RICH for upstream in UPSTREAMS])
def test_what_nobody_knows_is_never_lost_silently(client: str, upstream: str) -> None:
    silent = []
    for path in places(RICH[client]):
        try:
            found = written(client, put(RICH[client], path), upstream)
        except GatewayError as error:
            assert NAME in error.message + (error.param or ""), error.message
            continue
        told = found.body.decode() + " ".join(found.dropped)
        if NAME not in told and VALUE not in told:
            silent.append(path)
    assert not silent


@pytest.mark.parametrize("client", RICH)
def test_nothing_is_named_where_nothing_is_lost(client: str) -> None:
    assert written(client, RICH[client], client).dropped == ()


def test_all_of_it_was_asked() -> None:
    assert set(RICH) == set(UPSTREAMS)
    assert min(len(list(places(body))) for body in RICH.values()) > 15


ITEM: dict[str, Any] = {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
        "phase": "commentary",
        "content": [{"type": "output_text", "text": "b", "annotations": [{"type": "url_citation", "url": "u"}],
                     "logprobs": []}]}  # fmt: skip


def test_what_an_item_of_an_answer_says_of_itself_goes_back_to_its_own_protocol() -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "a"}, ITEM, {"role": "user", "content": "c"}]}
    found = written("openai-responses", body, "openai-responses")
    item = json.loads(found.body)["input"][1]
    assert (item["phase"], item["content"][0]["annotations"]) == ("commentary", ITEM["content"][0]["annotations"])
    assert found.dropped == ()
    assert {"annotations", "phase"} <= set(written("openai-responses", body, "openai-chat").dropped)


def test_what_a_group_of_tools_says_of_itself_arrives() -> None:
    group = {"type": "namespace", "name": "crm", "description": "All about customers.",
             "tools": [{"type": "function", "name": "g", "description": "One."}]}  # fmt: skip
    found = written("openai-responses", {"model": "m", "input": "x", "tools": [group]}, "openai-chat")
    (tool,) = json.loads(found.body)["tools"]
    assert tool["function"]["description"] == "All about customers.\n\nOne."


def test_a_grammar_is_said_in_the_words_of_the_other_openai_protocol() -> None:
    grammar = {"syntax": "lark", "definition": "start: x"}
    tool = {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": grammar}}}
    request = DIALECTS["openai-chat"].read_request(DIALECTS["openai-chat"].open(json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "a"}], "tools": [tool]}).encode()))  # fmt: skip
    sent = json.loads(DIALECTS["openai-responses"].write_request(request, Shape(model="up")).body)
    assert sent["tools"] == [{"type": "custom", "name": "p", "format": {"type": "grammar", **grammar}}]
