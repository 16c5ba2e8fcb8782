"""Requests read: the golden table, and that nothing the wire knows is lost on the way through."""

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects import openai_chat_wire as wire
from conflux.dialects.base import Shape
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_read import FUNCTIONS, split_data_url
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Output, Request, Text, Tool, ToolCall, ToolChoice, ToolResult
from tests.dialects.golden import GoldenRequest, requests, slim

CHAT = OpenAIChat()


def read(**fields: Any) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | fields
    return CHAT.read_request(CHAT.open(json.dumps(body).encode()))


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_read(golden: GoldenRequest) -> None:
    found = slim(CHAT.read_request(CHAT.open(golden.wire)))
    assert found.pop("dialect") == wire.NAME
    assert found == golden.neutral


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_what_was_written_reads_the_same(golden: GoldenRequest) -> None:
    """Once through changes spelling only; twice through changes nothing."""
    shape = Shape(**golden.shape)
    once = CHAT.read_request(CHAT.open(golden.written))
    again = CHAT.write_request(once, shape).body
    assert json.loads(again) == json.loads(golden.written)


def test_calls_in_the_older_form_have_ids_of_their_own() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    result = {"role": "function", "name": "f", "content": "x"}
    found = read(messages=[{"role": "user", "content": "a"}, call, result, call, result], functions=[{"name": "f"}])
    ids = [part.id for message in found.messages for part in message.parts if isinstance(part, ToolCall)]
    results = [part.call_id for message in found.messages for part in message.parts if isinstance(part, ToolResult)]
    assert ids == results and len(set(ids)) == 2
    assert found.parallel_tool_calls is False and FUNCTIONS in found.echo
    both = read(functions=[{"name": "f"}], tools=[{"type": "function", "function": {"name": "g"}}])
    assert both.parallel_tool_calls is None and both.echo == {}


# --- nothing is lost --------------------------------------------------------------------------------------------------


class Marks:
    """Every text of a request is another, so that each can be looked for."""

    def __init__(self) -> None:
        self._next = count(100)

    def __call__(self) -> str:
        return f"mark{next(self._next)}"


@st.composite
def parts(draw: st.DrawFn, mark: Marks, *, tool: bool = False) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(
            ["text", "image_url", "data", "file"] if tool else ["text", "image_url", "data", "file", "id", "audio"]
        )
    )
    if kind == "text":
        cache = draw(st.sampled_from([{}, {"cache_control": {"type": mark()}}]))
        return {"type": "text", "text": mark(), **cache}
    if kind == "image_url":
        return {"type": "image_url", "image_url": {"url": f"https://{mark()}/", "detail": mark()}}
    if kind == "data":
        return {"type": "image_url", "image_url": {"url": f"data:image/{mark()};base64,{mark()}"}}
    if kind == "file":
        return {"type": "file", "file": {"file_data": f"data:a/{mark()};base64,{mark()}", "filename": mark()}}
    if kind == "id":
        return {"type": "file", "file": {"file_id": mark(), "file_data": mark()}}
    return {"type": "input_audio", "input_audio": {"data": mark(), "format": mark()}}


@st.composite
def messages(draw: st.DrawFn, mark: Marks) -> dict[str, Any]:
    role = draw(st.sampled_from(wire.ROLES))
    tool = role in ("tool", "function")
    shape = draw(st.sampled_from(["text", "parts", "nothing"]))
    found: dict[str, Any] = {"role": role}
    if shape != "nothing" or role not in ("assistant", "tool"):
        content = mark() if shape == "text" else draw(st.lists(parts(mark, tool=tool), min_size=1, max_size=3))
        found["content"] = content
    if role == "tool":
        return {**found, "tool_call_id": mark()}
    if draw(st.booleans()) or role == "function":
        found["name"] = mark()
    if role == "assistant":
        extras = {
            "refusal": mark(),
            "reasoning_content": mark(),
            "audio": {"id": mark()},
            "function_call": {"name": mark(), "arguments": mark()},
            "tool_calls": [
                {"id": mark(), "type": "function", "function": {"name": mark(), "arguments": mark()}},
                {"id": mark(), "type": "custom", "custom": {"name": mark(), "input": mark()}},
            ],
        }
        found |= {name: extras[name] for name in draw(st.sets(st.sampled_from(sorted(extras))))}
    return found


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    mark = Marks()
    options = {
        "stop": [mark(), mark()],
        "user": mark(),
        "metadata": {mark(): mark()},
        "reasoning_effort": mark(),
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": mark(), "description": mark(), "schema": {mark(): mark()}, "strict": True},
        },
        "tools": [
            {"type": "function", "function": {"name": mark(), "description": mark(), "parameters": {mark(): mark()}}},
            {"type": "custom", "custom": {"name": mark(), "description": mark(), "format": {"type": mark()}}},
            {"type": mark(), "settings": mark()},
        ],
        "functions": [{"name": mark(), "description": mark(), "parameters": {mark(): mark()}, "strict": False}],
        "tool_choice": {"type": "function", "function": {"name": mark()}},
        "chat_template_kwargs": {mark(): True},
        "web_search_options": {"search_context_size": mark()},
        "logit_bias": {mark(): 5},
        mark(): {mark(): [mark(), None, {mark(): 1.5}]},
    }
    numbers = {
        "temperature": 0.5, "top_p": 0.25, "top_k": 31, "frequency_penalty": 0.75, "presence_penalty": 1.25, "seed": 71,
        "top_logprobs": 3, "logprobs": True, "n": 7, "parallel_tool_calls": False, "max_tokens": 77,
    }  # fmt: skip
    chosen = draw(st.sets(st.sampled_from(sorted({**options, **numbers}))))
    body = {name: ({**options, **numbers})[name] for name in chosen}
    return {"messages": draw(st.lists(messages(mark), min_size=1, max_size=3)), **body}


def without_choice(body: dict[str, Any]) -> dict[str, Any]:
    """A choice without tools is refused, and that calls may be parallel then says nothing."""
    return {name: value for name, value in body.items() if name not in ("tool_choice", "parallel_tool_calls")}


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in (name, *strings(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value] if isinstance(value, str) else []


@given(bodies().map(lambda body: without_choice(body) if not body.get("tools") else body))
def test_nothing_the_wire_knows_is_lost(body: dict[str, Any]) -> None:
    request = CHAT.read_request(CHAT.open(json.dumps(body).encode()))
    written = CHAT.write_request(request, Shape(model="up")).body
    text = written.decode()
    assert [one for one in strings(body) if one.startswith("mark") and one not in text] == []
    sent = json.loads(written)
    for name, value in body.items():
        if not isinstance(value, dict | list | str):
            assert sent[name] == value
    for name in ("response_format", "chat_template_kwargs", "web_search_options", "metadata", "stop", "logit_bias"):
        assert sent.get(name) == body.get(name)
    again = CHAT.read_request(CHAT.open(written))
    for field in (
        "messages",
        "sampling",
        "output",
        "reasoning",
        "tool_choice",
        "user",
        "metadata",
        "extra",
        "max_output",
    ):
        assert getattr(again, field) == getattr(request, field)
    assert [bare(tool) for tool in again.tools] == [bare(tool) for tool in request.tools]


def bare(tool: Tool) -> Tool:
    """Without its wire form: an old function is written as a tool."""
    return msgspec.structs.replace(tool, raw=None)


@given(st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=5), max_size=4))
def test_what_the_wire_does_not_know_lands_in_extra(fields: dict[str, Any]) -> None:
    strange = {name: value for name, value in fields.items() if name.casefold() not in wire.KNOWN | wire.NOT_FORWARDED}
    assert read(**strange).extra == strange


def test_routing_fields_land_nowhere() -> None:
    fields: dict[str, Any] = dict.fromkeys(wire.NOT_FORWARDED - {"task_type"}, "x")
    request = read(**fields)
    assert set(request.extra) == wire.NOT_FORWARDED - wire.OURS  # known, so that they can be named
    written = CHAT.write_request(request, Shape(model="up"))
    assert set(json.loads(written.body)) == {"model", "messages"}
    assert written.dropped == tuple(sorted(request.extra))


# --- details ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice("named", "f")),
        ({"name": "f"}, ToolChoice("named", "f")),
    ],
)
def test_case_31_tool_choice(choice: Any, found: ToolChoice | None) -> None:
    assert read(tool_choice=choice).tool_choice == found


@pytest.mark.parametrize(
    "choice", ["sometimes", {"type": "allowed_tools"}, {"type": "function", "function": "f"}, {"x": 1}]
)
def test_case_31_an_unknown_tool_choice_is_refused(choice: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        read(tool_choice=choice)
    assert (caught.value.param or "").startswith("tool_choice")


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        ("data:image/png;base64,AAAA", "image/png", "AAAA"),
        ("data:image/png;charset=x;base64,AA,AA", "image/png;charset=x", "AA,AA"),
        ("data:;base64,AA", None, "AA"),
        ("data:image/png;base64,", "image/png", ""),
        ("data:image/png,AAAA", None, None),
        ("data:", None, None),
        ("https://a/;base64,AA", None, None),
        ("", None, None),
    ],
)
def test_case_32_data_urls(url: str, media_type: str | None, data: str | None) -> None:
    assert split_data_url(url) == (media_type, data)
    if data is not None:
        written = CHAT.write_request(
            read(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_data": url}}]}]),
            Shape(model="m"),
        ).body
        again = json.loads(written)["messages"][0]["content"][0]["file"]["file_data"]
        assert again == (url if media_type else data)


def test_case_30_a_schema_counts_only_where_it_was_asked_for() -> None:
    schema = {"name": "r", "schema": {"type": "object"}}
    assert read(response_format={"type": "text", "json_schema": schema}).output == Output()
    assert read(response_format={"type": "json_object", "json_schema": schema}).output == Output(kind="json_object")


def test_a_tools_result_holds_what_a_tool_can_say() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}
    with pytest.raises(GatewayError) as caught:
        read(messages=[{"role": "tool", "tool_call_id": "c", "content": [sound]}])
    assert caught.value.param == "messages[0].content"


def test_case_42_empty_text_is_no_part() -> None:
    (message,) = read(messages=[{"role": "user", "content": [{"type": "text", "text": ""}] * 3}]).messages
    assert message.parts == ()
    (message,) = read(messages=[{"role": "user", "content": " "}]).messages
    assert message.parts == (Text(text=" "),)


def test_a_choice_among_some_of_the_tools_leaves_those() -> None:
    spec = {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": tools,
            "tool_choice": {"type": "allowed_tools", "allowed_tools": spec}}  # fmt: skip
    request = CHAT.read_request(CHAT.open(json.dumps(body).encode()))
    assert [tool.name for tool in request.tools] == ["b"]
    assert request.tool_choice is not None and request.tool_choice.mode == "required"
    body["tool_choice"] = {"type": "allowed_tools", "allowed_tools": {"tools": "b"}}
    with pytest.raises(GatewayError, match="must be a list of tools"):
        CHAT.read_request(CHAT.open(json.dumps(body).encode()))
