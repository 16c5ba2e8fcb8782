"""Answers read as events: the golden table, in every spelling and every cut."""

import json

import pytest

from conflux.dialects.openai_responses_reader import ResponsesReader
from conflux.neutral.events import Event, Fault, ToolBegan
from tests.dialects.golden import cuts, other_spellings
from tests.dialects.golden_responses import Stream, core, data_of, streams


def read(pieces: list[bytes]) -> tuple[tuple[Event, ...], ResponsesReader]:
    reader = ResponsesReader()
    found = [event for piece in pieces for event in reader.feed(piece)] + reader.end()
    return tuple(found), reader


def check(golden: Stream, pieces: list[bytes]) -> None:
    found, reader = read(pieces)
    assert found == golden.events
    tally = reader.tally
    assert tally.fault == golden.fault
    assert (tally.output_bytes, tally.finished, tally.usage_absurd) == (
        golden.output_bytes, golden.finished, golden.absurd,
    )  # fmt: skip


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream_in_any_cuts(golden: Stream) -> None:
    check(golden, [golden.wire])
    for pieces in cuts(golden.wire, golden.name, times=10):
        check(golden, pieces)


@pytest.mark.parametrize("golden", [golden for golden in streams() if golden.name != "malformed"], ids=str)
def test_case_35_a_stream_in_any_spelling(golden: Stream) -> None:
    for spelling, data in other_spellings(golden.wire).items():
        for pieces in cuts(data, golden.name + spelling):
            check(golden, pieces)


@pytest.mark.parametrize("golden", [golden for golden in streams() if golden.sound], ids=str)
def test_the_plain_answer_says_the_same(golden: Stream) -> None:
    found = data_of(golden.wire)
    final = found[-1]["response"]
    items = {event["output_index"]: event["item"] for event in found if event["type"] == "response.output_item.done"}
    body = {**final, "model": "upstream-model", "output": final["output"] or [items[index] for index in sorted(items)]}
    events = core(ResponsesReader().whole(json.dumps(body).encode()))
    if golden.name.startswith("case_41"):  # probabilities were told with the deltas only
        assert [type(event) for event in events] == [type(event) for event in golden.core]
    else:
        assert events == golden.core


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"<html>", b"[]", b"{}", b'{"output":1}', b'{"status":"failed","output":[],"error":{"message":"m"}}'],
)
def test_an_answer_that_is_none_is_a_fault(body: bytes) -> None:
    reader = ResponsesReader()
    (fault,) = reader.whole(body)
    assert isinstance(fault, Fault) and reader.tally.fault == fault


def test_an_empty_stream_is_a_fault() -> None:
    assert [type(event) for event in read([])[0]] == [Fault]
    assert [type(event) for event in read([b": nothing\n\n"])[0]] == [Fault]


def test_case_11_names_are_restored() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "short", "arguments": "{}"}
    found = ResponsesReader({"short": "long"}).whole(json.dumps({"output": [item], "status": "completed"}).encode())
    assert found[1] == ToolBegan(call_id="c", name="long")
