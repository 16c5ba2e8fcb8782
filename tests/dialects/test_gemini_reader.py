"""Answers read as events: the golden tables, in every cut."""

import pytest

from conflux.dialects.gemini_reader import GeminiReader
from conflux.neutral.events import Event, Fault, ToolBegan
from tests.dialects.gemini_golden import Golden, answers, streams
from tests.dialects.golden import cuts, other_spellings


def read(pieces: list[bytes]) -> tuple[Event, ...]:
    reader = GeminiReader({})
    found: list[Event] = []
    for piece in pieces:
        found += reader.feed(piece)
    return tuple(found + reader.end())


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream(golden: Golden) -> None:
    assert read([golden.wire]) == golden.events


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_case_35_a_stream_in_any_cuts_and_spelling(golden: Golden) -> None:
    for spelling, data in {"": golden.wire, **other_spellings(golden.wire)}.items():
        for pieces in cuts(data, golden.name + spelling):
            assert read(pieces) == golden.events, spelling


@pytest.mark.parametrize("golden", answers(), ids=str)
def test_an_answer(golden: Golden) -> None:
    assert tuple(GeminiReader({}).whole(golden.wire)) == golden.events


def test_case_11_a_shortened_name_is_restored() -> None:
    wire = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"short"}}]},"finishReason":"STOP"}]}'
    events = GeminiReader({"short": "the.long.one"}).whole(wire)
    assert [event.name for event in events if isinstance(event, ToolBegan)] == ["the.long.one"]


def test_calls_of_two_answers_never_share_an_id() -> None:
    wires = [
        b'{"responseId":"%d","candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}' % number
        for number in range(2)
    ]
    ids = {event.call_id for wire in wires for event in GeminiReader({}).whole(wire) if isinstance(event, ToolBegan)}
    assert len(ids) == 2


def test_nothing_follows_a_fault() -> None:
    reader = GeminiReader({})
    events = reader.feed(b"data: {oops\n\ndata: " + b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n')
    assert [type(event) for event in events] == [Fault]
    assert reader.end() == []
