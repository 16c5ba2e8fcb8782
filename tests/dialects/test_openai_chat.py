"""A request opened and forwarded: the golden table, the bad input, and that what is judged is what is sent."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects import DIALECTS, openai_chat_wire
from conflux.dialects.base import Shape, Written
from conflux.dialects.gemini_ids import sign
from conflux.dialects.openai_chat import IMAGE_TOKENS_BOUND, OpenAIChat
from conflux.dialects.openai_chat_wire import NAME, NOT_FORWARDED
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import Need, Request
from tests.dialects.golden import WANTED, GoldenRequest, requests, slim

CHAT = OpenAIChat()
ASKED = Request(dialect="openai-chat", messages=())
USER = [{"role": "user", "content": "Hi"}]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": USER} | fields).encode()


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_opened(golden: GoldenRequest) -> None:
    envelope = CHAT.open(golden.wire)
    found = slim(envelope)
    assert found.pop("dialect") == NAME
    assert found.pop("body") == json.loads(golden.wire)
    found.pop("size")
    assert found == golden.opened


def test_what_gemini_signed_is_forwarded_to_nobody() -> None:
    signed, own = sign("call_1", "A" * 400), "chatcmpl-tool-" + "a" * 32
    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": name, "type": "function", "function": function} for name in (signed, "call_2")]
    said = {"role": "assistant", "content": None, "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": name, "content": "x"} for name in (signed, "call_2")]
    wire = body(messages=[*USER, said, *results])
    found = json.loads(CHAT.forward(CHAT.open(wire), Shape(model="up")).body)["messages"]
    assert [call["id"] for call in found[1]["tool_calls"]] == ["call_1", "call_2"]
    assert [one["tool_call_id"] for one in found[2:]] == ["call_1", "call_2"]
    again = json.loads(CHAT.write_request(CHAT.read_request(CHAT.open(wire)), Shape(model="up")).body)["messages"]
    assert [again[1]["tool_calls"][0]["id"], again[2]["tool_call_id"]] == ["call_1", "call_1"]
    odd = [{"role": "user", "content": "x", "tool_call_id": 5}, {"role": "tool", "tool_call_id": own, "content": "x"}]
    assert json.loads(CHAT.forward(CHAT.open(body(messages=odd)), Shape(model="up")).body)["messages"] == odd


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_forwarded(golden: GoldenRequest) -> None:
    envelope = CHAT.open(golden.wire)
    before = json.dumps(envelope.body)
    assert CHAT.forward(envelope, Shape(**golden.shape)) == Written(body=golden.forwarded, dropped=golden.dropped)
    assert json.dumps(envelope.body) == before, "an envelope is forwarded to one target after the other"


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_forwarded_twice_is_forwarded_once(golden: GoldenRequest) -> None:
    shape = Shape(**golden.shape)
    assert CHAT.forward(CHAT.open(golden.forwarded), shape) == Written(body=golden.forwarded)


def test_it_is_in_the_table() -> None:
    assert isinstance(DIALECTS[NAME], OpenAIChat)
    assert CHAT.path(Shape(model="m")) == "/chat/completions"


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the body is not valid JSON: it is empty"),
        (b"{", "the body is not valid JSON: input data was truncated"),
        (b"model=m", "the body is not valid JSON: invalid character (byte 0)"),
        (b"[]", "the body must be a JSON object"),
        (b'"x"', "the body must be a JSON object"),
        (b'{"model":"a","model":"b"}', "the body has the key 'model' twice in one object"),
        (b'{"temperature":NaN}', "the body is not valid JSON: invalid character (byte 15)"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "the body is nested more than 64 levels deep"),
        (b'{"model":"\xff"}', "the body is not valid UTF-8"),
    ],
)
def test_case_44_not_json_or_not_only_one_json(raw: bytes, message: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CHAT.open(raw)
    assert (caught.value.kind, caught.value.message) == (Kind.INVALID, message)


@pytest.mark.parametrize(
    "name", ["Model", "MODEL", "Max_Tokens", "N", "Stream", "Service_Tier", "me\u017fsages", "\u212aey"]
)
def test_a_name_that_others_would_take_for_another_is_refused(name: str) -> None:
    """Readers that match names in any case (Go's does) would let "Model" overrule the model that was authorised."""
    raw = body(**{name: "x"})
    if name.casefold() in openai_chat_wire.KNOWN | NOT_FORWARDED:
        with pytest.raises(GatewayError) as caught:
            CHAT.open(raw)
        assert caught.value.param == name
        assert name.casefold() in caught.value.message
    else:
        assert CHAT.open(raw).body[name] == "x"


@pytest.mark.parametrize("kind", ["grammar", "", "JSON"])
def test_an_unknown_answer_format_is_refused_by_name(kind: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CHAT.open(body(response_format={"type": kind}))
    assert caught.value.param == "response_format.type"
    assert caught.value.message == f"response_format.type: {kind!r} is not one of text, json_object, json_schema"


# --- what it needs and how large it is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, set()),
        ({"tools": []}, set()),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {Need.TOOLS}),
        ({"functions": [{"name": "f"}]}, {Need.TOOLS}),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f"}}]}]}, {Need.TOOLS}),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": []}]}, set()),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, {Need.TOOLS}),
        ({"logprobs": True}, {Need.LOGPROBS}),
        ({"logprobs": False}, set()),
        ({"top_logprobs": 1}, {Need.LOGPROBS}),
        ({"n": 1}, set()),
        ({"n": 2}, {Need.MANY_CHOICES}),
        ({"reasoning_effort": "none"}, set()),
        ({"reasoning_effort": "low"}, {Need.REASONING}),
        ({"web_search_options": {}}, {Need.WEB_SEARCH}),
        ({"response_format": {"type": "text"}}, set()),
        ({"response_format": {"type": "json_object"}}, {Need.JSON_MODE}),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "r"}}}, {Need.STRUCTURED_OUTPUTS}),
    ],
    ids=str,
)
def test_needs(fields: dict[str, Any], needs: set[Need]) -> None:
    assert CHAT.open(body(**fields)).needs == needs


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 40_000}}


def test_an_image_counts_as_what_it_costs_not_as_its_bytes() -> None:
    envelope = CHAT.open(body(messages=[{"role": "user", "content": [PICTURE, PICTURE]}]))
    assert envelope.images == 2
    assert 2 * IMAGE_TOKENS_BOUND < envelope.size < 2 * IMAGE_TOKENS_BOUND + 300


TEXT = st.text(max_size=40)


@given(TEXT, st.booleans(), st.integers(0, 3))
def test_size_is_that_of_the_text_however_it_was_written(text: str, ascii_only: bool, indent: int) -> None:
    """Escapes and white space of the sender's cost nothing, and it is never less than the text's own bytes."""
    value = {"model": "m", "messages": [{"role": "user", "content": text}]}
    sizes = {
        CHAT.open(raw).size
        for raw in (
            json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(),
            msgspec.json.encode(value),
        )
    }
    assert len(sizes) == 1
    assert sizes.pop() >= len(text.encode())


# --- what is judged is what is sent -----------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-5, 300) | st.floats(-3, 3) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "model": st.none() | TEXT,
        "max_tokens": st.none() | st.integers(1, 300),
        "max_completion_tokens": st.none() | st.integers(1, 300),
        "temperature": st.none() | st.floats(0, 2),
        "stream": st.none() | st.booleans(),
        "stream_options": st.none() | st.fixed_dictionaries({}, optional={"include_usage": st.booleans(), "x": VALUES}),
        "stop": st.none() | TEXT | st.lists(TEXT, max_size=3),
        "n": st.integers(1, 128),
        "reasoning_effort": st.sampled_from(["none", "low"]),
        "logit_bias": st.dictionaries(TEXT, st.integers(-100, 100), max_size=2),
        "tools": st.just([{"type": "function", "function": {"name": "f", "x": 1}}]),
        "metadata": st.dictionaries(TEXT, VALUES, max_size=2),
    },
)
NAMES = st.sampled_from([*sorted(NOT_FORWARDED), "Model", "nn", "reasoning", "stream_option\u017f", "future"]) | TEXT


SHAPES = st.builds(
    Shape,
    model=st.just("up"),
    max_output=st.none() | st.integers(1, 99),
    temperature=st.none() | st.just(0.7),
    effort=st.none() | st.just("high"),
    stream=st.booleans(),
    quirks=st.sampled_from([{}, {"max_tokens_field": "max_completion_tokens"}, {"developer_role": False}]),
)


@given(KNOWN, st.dictionaries(NAMES, VALUES, max_size=3), SHAPES)
def test_the_policies_view_is_the_upstreams_view(known: dict[str, Any], more: dict[str, Any], shape: Shape) -> None:
    """An upstream that reads what is forwarded sees the body that was judged, but for what the gateway decided."""
    raw = json.dumps({**more, **known, "messages": [{"role": "developer", "content": "a"}, *USER]}).encode()
    try:
        envelope = CHAT.open(raw)
    except GatewayError:
        return
    forwarded = CHAT.forward(envelope, shape)
    seen, dropped = json.loads(forwarded.body), forwarded.dropped
    judged = dict(envelope.body)
    assert judged == json.loads(raw)
    assert seen.pop("model") == "up"
    judged.pop("model", None)
    assert not seen.keys() & NOT_FORWARDED
    for name in [name for name in judged if name in NOT_FORWARDED]:
        assert name in dropped or name in ("task_type", "flux", "prefer")
        del judged[name]
    if judged.get("stop") == []:
        del judged["stop"]  # it says nothing
    limits = {name: view.pop(name, None) for view in (judged, seen) for name in ("max_tokens", "max_completion_tokens")}
    assert shape.max_output is None or set(limits.values()) == {None, shape.max_output}
    if shape.stream:
        assert seen.pop("stream") is True
        assert seen.pop("stream_options") == {**(judged.pop("stream_options", None) or {}), "include_usage": True}
        judged.pop("stream", None)
    else:
        assert "stream_options" not in seen
        judged.pop("stream_options", None)
    if shape.effort is not None:
        assert seen.pop("reasoning_effort") == "high"
        assert "reasoning" not in seen
        judged.pop("reasoning_effort", None)
        judged.pop("reasoning", None)
    if shape.temperature is not None and judged.get("temperature") is None:
        assert seen.pop("temperature") == 0.7
        judged.pop("temperature", None)
    if shape.quirks.get("developer_role") is False:
        judged["messages"] = [{"role": "system", "content": "a"}, *USER]
    assert seen == judged


# --- what else it says ------------------------------------------------------------------------------------------------


def test_an_error_event_ends_the_stream_as_clients_expect() -> None:
    event, done, rest = CHAT.error_event(GatewayError(Kind.UPSTREAM_FAILED, "broke off\nhere")).split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert json.loads(event.removeprefix(b"data: "))["error"]["message"] == "broke off\nhere"


def test_a_keep_alive_says_nothing() -> None:
    for lane in (CHAT.writer(WANTED, ASKED), CHAT.passthrough(WANTED)):
        (event, rest) = lane.keep_alive().split(b"\n\n")
        assert rest == b""
        chunk = json.loads(event.removeprefix(b"data: "))
        assert chunk["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}]
        assert (chunk["id"], chunk["model"]) == (WANTED.answer_id, WANTED.model)


def test_reader_writer_and_relay_are_new_each_time() -> None:
    assert CHAT.reader({}) is not CHAT.reader({})
    assert CHAT.error(GatewayError(Kind.NOT_FOUND, "x"), "openai")[0] == 404
    assert CHAT.upstream_error(500, b"").status == 500
