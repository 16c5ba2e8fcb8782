"""Streams and answers read as events: the golden table, however it is cut and spelled."""

import json
from typing import Any

import pytest

from conflux.dialects.anthropic_reader import MessagesReader
from conflux.neutral.events import Event, Fault, Finished, Stop, ToolBegan, ToolDelta
from tests.dialects.golden import cuts, other_spellings
from tests.dialects.messages import GoldenStream, streams


def read(pieces: list[bytes]) -> tuple[list[Event], MessagesReader]:
    reader = MessagesReader({})
    found = [event for piece in pieces for event in reader.feed(piece)]
    return found + reader.end(), reader


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_read(golden: GoldenStream) -> None:
    found, reader = read([golden.wire])
    assert tuple(found) == golden.events
    golden.noted(reader.tally)


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_case_35_read_the_same_however_it_is_cut(golden: GoldenStream) -> None:
    for pieces in cuts(golden.wire, golden.name):
        assert tuple(read(pieces)[0]) == golden.events


@pytest.mark.parametrize("golden", [one for one in streams() if one.whole], ids=str)
def test_case_35_read_the_same_however_it_is_spelled(golden: GoldenStream) -> None:
    for name, wire in other_spellings(golden.wire).items():
        assert tuple(read([wire])[0]) == golden.events, name


def whole(reader: MessagesReader | None = None, **fields: Any) -> list[Event]:
    answer = {"id": "msg_up", "type": "message", "role": "assistant", "model": "up", "content": [], **fields}
    return (reader or MessagesReader({})).whole(json.dumps(answer).encode())


def test_a_plain_answer_has_the_same_events() -> None:
    reader = MessagesReader({"short": "a very long name"})
    found = whole(
        reader,
        content=[
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "a", "citations": [{"type": "page_location"}]},
            {"type": "tool_use", "id": "t", "name": "short", "input": {}},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
        ],
        stop_reason="stop_sequence",
        stop_sequence="END",
        usage={"input_tokens": 3, "output_tokens": 4},
    )
    names = [type(event).__name__ for event in found]
    assert names == ["Began", "ThinkingDelta", "ThinkingDelta", "BlockEnded", "ThinkingDelta", "BlockEnded",
                     "TextDelta", "Aside", "BlockEnded", "ToolBegan", "ToolDelta", "BlockEnded", "Aside", "Finished",
                     "Reported"]  # fmt: skip
    assert ToolBegan(call_id="t", name="a very long name") in found and ToolDelta(arguments="{}") in found
    assert Finished(stop=Stop.STOP_SEQUENCE, sequence="END") in found
    assert reader.tally.done and reader.tally.usage is not None


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("end_turn", Stop.END), ("max_tokens", Stop.LENGTH), ("model_context_window_exceeded", Stop.LENGTH),
     ("tool_use", Stop.END), ("pause_turn", Stop.PAUSE), ("refusal", Stop.REFUSAL), ("what comes next", Stop.END),
     (None, Stop.END)],
)  # fmt: skip
def test_case_16_stop_reasons(reason: str | None, stop: Stop) -> None:
    assert Finished(stop=stop) in whole(stop_reason=reason)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "the answer is empty"),
        (b"<html>", "malformed answer"),
        (b"[]", "malformed answer"),
        (b'{"content":null}', "the answer has no content"),
        (b'{"content":[{"type":5}]}', "malformed answer"),
        (b'{"type":"error","error":{"type":"api_error","message":"m"}}', "m"),
    ],
)
def test_what_is_no_answer_is_a_fault(answer: bytes, message: str) -> None:
    (fault,) = MessagesReader({}).whole(answer)
    assert isinstance(fault, Fault) and fault.message.startswith(message)


def test_a_server_tools_input_that_is_no_json_is_a_fault() -> None:
    wire = (
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","input":{}}}\n\n'
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}\n\n'
        b'data: {"type":"content_block_stop","index":0}\n\n'
    )
    found, reader = read([wire])
    assert isinstance(found[-1], Fault) and reader.tally.fault is not None
