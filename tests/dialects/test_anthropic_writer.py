"""Events written: the golden table, and what other dialects say."""

import json
from typing import Any

import pytest

from conflux.dialects import signatures
from conflux.dialects.anthropic_writer import MessagesWriter
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Fault,
    Finished,
    RefusalDelta,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.usage import Usage
from tests.dialects.messages import BILLED, WANTED, GoldenStream, streams

BEGAN = Began(id="up", model="up")


@pytest.mark.parametrize("golden", [one for one in streams() if one.whole], ids=str)
def test_written(golden: GoldenStream) -> None:
    writer = MessagesWriter(WANTED)
    out = b"".join(writer.feed([event]) for event in golden.events)
    usage = next((event.usage for event in golden.events if isinstance(event, Reported)), BILLED)
    assert out + writer.last(usage) == golden.written


def stream(*events: Event) -> list[Any]:
    writer = MessagesWriter(WANTED)
    out = writer.feed(events) + writer.last(Usage(input=1, output=2))
    found = []
    for block in out.strip().split(b"\n\n"):
        name, data = block.split(b"\n")
        found.append(json.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + found[-1]["type"].encode()
    _check(found)
    return found


def _check(found: list[Any]) -> None:
    """Blocks one after the other, counted from 0, between one start and one end."""
    names = [event["type"] for event in found]
    assert names[0] == "message_start" and names[-2:] == ["message_delta", "message_stop"]
    assert names.count("message_start") == 1
    open_block, count = None, 0
    for event in found[1:-2]:
        if event["type"] == "content_block_start":
            assert open_block is None and event["index"] == count
            open_block, count = count, count + 1
        else:
            assert event["index"] == open_block
            if event["type"] == "content_block_stop":
                open_block = None
    assert open_block is None and count > 0


def whole(*events: Event) -> Any:
    return json.loads(MessagesWriter(WANTED).whole(events, Usage(input=1, output=2)))


def test_case_23_and_24_a_change_of_block_loses_nothing() -> None:
    events = (BEGAN, ThinkingDelta(text="hm"), BlockEnded(), TextDelta(text="a"), TextDelta(text="b"), BlockEnded(),
              ToolBegan(call_id="c", name="f"), ToolDelta(arguments='{"a":'), ToolDelta(arguments="1}"), BlockEnded(),
              Finished(stop=Stop.TOOL_CALLS))  # fmt: skip
    found = stream(*events)
    kinds = [event["content_block"]["type"] for event in found if event["type"] == "content_block_start"]
    assert kinds == ["thinking", "text", "tool_use"]
    assert found[1]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}  # case 25
    answer = whole(*events)
    assert answer["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "ab"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
    ]
    assert answer["stop_reason"] == "tool_use" and answer["id"] == "msg_ours" and answer["model"] == "house/model"
    assert answer["usage"]["output_tokens"] == 2


def test_case_25_a_signature_of_another_issuer_is_wrapped_and_sent_whole() -> None:
    events = (BEGAN, ThinkingDelta(text="t", signature="s1", issuer="gemini"), BlockEnded(), TextDelta(text="a"),
              BlockEnded(), Finished(stop=Stop.END))  # fmt: skip
    (delta,) = [event["delta"] for event in stream(*events) if event.get("delta", {}).get("type") == "signature_delta"]
    assert signatures.unwrap(delta["signature"], "anthropic-messages") == ("s1", "gemini")
    assert whole(*events)["content"][0]["signature"] == delta["signature"]


def test_case_26_redacted_thinking() -> None:
    events = (BEGAN, ThinkingDelta(redacted="d", issuer="anthropic-messages"), BlockEnded(), Finished(stop=Stop.END))
    assert stream(*events)[1]["content_block"] == {"type": "redacted_thinking", "data": "d"}
    assert whole(*events)["content"] == [{"type": "redacted_thinking", "data": "d"}]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [(Stop.END, "end_turn"), (Stop.LENGTH, "max_tokens"), (Stop.TOOL_CALLS, "tool_use"), (Stop.PAUSE, "pause_turn"),
     (Stop.STOP_SEQUENCE, "stop_sequence"), (Stop.CONTENT_FILTER, "refusal"), (Stop.REFUSAL, "refusal")],
)  # fmt: skip
def test_case_16_stop_reasons_and_case_18_never_empty_content(stop: Stop, reason: str) -> None:
    found = stream(BEGAN, Finished(stop=stop, sequence="x" if stop is Stop.STOP_SEQUENCE else None))
    assert found[-2]["delta"]["stop_reason"] == reason
    answer = whole(BEGAN, Finished(stop=stop))
    assert answer["stop_reason"] == reason and answer["content"] == [{"type": "text", "text": ""}]


def test_case_18_a_refusal_of_a_protocol_that_ends_it_like_any_answer() -> None:
    events = (BEGAN, RefusalDelta(text="No."), BlockEnded(), Finished(stop=Stop.END))
    assert stream(*events)[-2]["delta"]["stop_reason"] == "refusal"
    answer = whole(*events)
    assert answer["stop_reason"] == "refusal" and answer["content"] == [{"type": "text", "text": "No."}]


def test_case_10_an_odd_id_is_one_that_the_wire_carries() -> None:
    events = (BEGAN, ToolBegan(call_id="functions.look:0", name="look"), ToolDelta(arguments=""), BlockEnded(),
              Finished(stop=Stop.TOOL_CALLS))  # fmt: skip
    (block,) = whole(*events)["content"]
    assert block["id"].replace("_", "").replace("-", "").isalnum() and block["input"] == {}
    assert stream(*events)[1]["content_block"]["id"] == block["id"]


@pytest.mark.parametrize(("arguments", "read"), [("[1]", {"input": "[1]"}), ('{"a', {"input": '{"a'}), (" ", {})])
def test_case_17_arguments_that_are_no_object(arguments: str, read: Any) -> None:
    events = (BEGAN, ToolBegan(call_id="c", name="f"), ToolDelta(arguments=arguments), BlockEnded(),
              Finished(stop=Stop.LENGTH))  # fmt: skip
    assert whole(*events)["content"][0]["input"] == read


def test_blocks_of_its_own_dialect_leave_as_they_came_and_of_others_not() -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}
    events = (BEGAN, Aside(dialect="anthropic-messages", kind="server_tool_use", value=use),
              Aside(dialect="other", kind="x", value={"type": "x"}), TextDelta(text="a"),
              Aside(dialect="anthropic-messages", kind="citation", value={"type": "page_location"}), BlockEnded(),
              Finished(stop=Stop.END))  # fmt: skip
    found = stream(*events)
    assert found[1]["content_block"] == {**use, "input": {}}
    assert found[2]["delta"] == {"type": "input_json_delta", "partial_json": '{"q":1}'}
    assert whole(*events)["content"] == [use, {"type": "text", "text": "a", "citations": [{"type": "page_location"}]}]


def test_nothing_goes_before_the_start() -> None:
    assert stream(TextDelta(text="a"), BlockEnded(), Finished(stop=Stop.END))[0]["message"]["model"] == "house/model"
    writer = MessagesWriter(WANTED)
    assert writer.feed([Fault(message="x")]) == b""
    assert writer.keep_alive() == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert b'"request_id":"req_ours"' in writer.fail(GatewayError(Kind.OVERLOADED, "x"))
