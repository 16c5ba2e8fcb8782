"""The parsers of anthropic-messages under fuzz: requests towards every dialect, answers read, written and relayed."""

import json
from random import Random
from typing import Any

from conflux.dialects import DIALECTS
from conflux.dialects.anthropic_errors import body as error_body
from conflux.dialects.base import Shape
from conflux.neutral.errors import GatewayError
from conflux.neutral.usage import Usage
from tests.dialects.messages import MESSAGES, WANTED, body, read, streams
from tests.fuzz.laws import check_events, cut

SHAPES = (
    Shape(model="up"),
    Shape(model="up", stream=True, max_output=5000, temperature=0.5, effort="high", reasons=True),
    Shape(model="claude-sonnet-4-5", max_output=5000, quirks={"billing_line": True, "system_messages": True}),
)

_CACHE = {"type": "ephemeral"}
REQUESTS = (
    body(),
    body(system=[{"type": "text", "text": "x-anthropic-billing-header: a"}, {"type": "text", "text": "b"}],
         thinking={"type": "enabled", "budget_tokens": 2000}, output_config={"effort": "max"}, stop_sequences=["x"],
         metadata={"user_id": "u"}, container={"skills": []}, context_management={"edits": []}),
    body(tools=[{"name": "f", "input_schema": {"type": "object"}, "cache_control": _CACHE},
                {"type": "web_search_20250305", "name": "web_search"}], tool_choice={"type": "any"},
         messages=[{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": _CACHE}]},
                   {"role": "system", "content": "b"},
                   {"role": "assistant", "content": [
                       {"type": "thinking", "thinking": "t", "signature": "c2ln"},
                       {"type": "redacted_thinking", "data": "x"},
                       {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
                       {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]},
                   {"role": "user", "content": [
                       {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": [
                           {"type": "text", "text": "r"},
                           {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]},
                       {"type": "document", "source": {"type": "text", "data": "d"}, "title": "t"},
                       {"type": "document", "source": {"type": "url", "url": "u"}}]}]),
)  # fmt: skip
STREAMS = tuple(row.wire for row in streams())
ANSWERS = (
    b'{"id":"i","model":"m","content":[{"type":"text","text":"a"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}},'
    b'{"type":"thinking","thinking":"t","signature":"s"},{"type":"server_tool_use","input":{}}],'
    b'"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4}}',
    b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
)
ERRORS = (ANSWERS[1], b'{"detail":"d"}', b"<html>")


def _read(data: bytes) -> Any:
    """What passes as it came may hold numbers that no reader here takes."""
    return json.loads(data, parse_int=str, parse_float=str)


def _sayable(error: GatewayError) -> None:
    status, raw = error_body(error)
    assert 400 <= status < 500
    assert json.loads(raw)["error"]["message"]


def open_request(data: bytes, chance: Random) -> None:
    """Towards every dialect a request is written, or refused in words."""
    try:
        envelope = MESSAGES.open(data)
    except GatewayError as error:
        _sayable(error)
        return
    assert envelope.size > 0
    for shape in SHAPES:
        sent = json.loads(MESSAGES.forward(envelope, shape).body)
        assert sent["model"] == shape.model and sent["max_tokens"] > 0
    for dialect in DIALECTS.values():
        try:
            request = MESSAGES.read_request(envelope)
            dialect.write_request(request, chance.choice(SHAPES))
        except GatewayError as error:
            _sayable(error)


def read_stream(data: bytes, chance: Random) -> None:
    one, other = MESSAGES.reader({}), MESSAGES.reader({})
    events = one.feed(data) + one.end()
    check_events(events)
    assert events == [event for piece in cut(data, chance) for event in other.feed(piece)] + other.end()
    writer = MESSAGES.writer(WANTED, read())
    check_stream(writer.feed(events) + writer.last(Usage()))


def read_whole(data: bytes, chance: Random) -> None:
    reader = MESSAGES.reader({})
    events = reader.whole(data)
    check_events(events)
    assert reader.tally.fault is not None or reader.tally.finished
    found = json.loads(MESSAGES.writer(WANTED, read()).whole(events, Usage()))
    assert (found["id"], found["model"]) == ("msg_ours", "house/model") and found["content"]


def check_stream(out: bytes) -> None:
    """Each event on its two lines, under its own name; the first that says something is the start. Blocks are counted
    without gaps, and nothing is said of one that is not open."""
    kinds = []
    begun, going = 0, set()
    for event in out.split(b"\n\n"):
        if event:
            name, data = event.split(b"\n")
            found = _read(data.removeprefix(b"data: "))
            kind, place = found["type"], found.get("index")
            assert name == b"event: " + kind.encode()
            kinds += [kind] if kind != "ping" else []
            if kind == "content_block_start":
                assert place == str(begun)
                begun += 1
                going.add(place)
            elif kind.startswith("content_block"):
                assert place in going
            if kind == "content_block_stop":
                going.remove(place)
    assert (
        not kinds or (kinds[0] == "message_start" and kinds.count("message_start") == 1) or kinds[0] == "message_delta"
    )


def relay_stream(data: bytes, chance: Random) -> None:
    one, other = MESSAGES.passthrough(WANTED), MESSAGES.passthrough(WANTED)
    out = one.feed(data) + one.end()
    assert out == b"".join([other.feed(piece) for piece in cut(data, chance)]) + other.end()
    check_stream(out)
    if one.tally.fault is None and one.tally.finished:
        last = one.last(Usage(input=1))
        assert last == other.last(Usage(input=1))
        check_stream(out + last)


def relay_whole(data: bytes, chance: Random) -> None:
    lane = MESSAGES.passthrough(WANTED)
    lane.whole(data)
    if lane.tally.fault is None:
        found = _read(lane.last(Usage(input=1)))
        assert (found["id"], found["model"], found["type"]) == ("msg_ours", "house/model", "message")


def upstream_error(data: bytes, chance: Random) -> None:
    fault = MESSAGES.upstream_error(529, data)
    assert fault.status == 529 and isinstance(fault.message, str)
