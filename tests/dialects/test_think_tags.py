"""Thoughts between tags, in any cuts."""

import itertools
import json

import pytest

from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.think_tags import ThinkTagsReader
from conflux.neutral.events import BlockEnded, Event, Finished, TextDelta, ThinkingDelta
from tests.dialects.golden import cuts

CASES = [
    ("<think>hm</think>yes", "hm", "yes"),
    ("<think>\nhm\n</think>\n\nyes", "hm\n", "yes"),
    ("\n<think>hm</think>", "hm", ""),
    ("<think></think>yes", "", "yes"),
    ("plain", "", "plain"),
    ("a <think>b</think>", "", "a <think>b</think>"),
    ("<think>a < b </thin </think>c", "a < b </thin ", "c"),
    ("<thin", "", "<thin"),
    ("<think>never closed </th", "never closed </th", ""),
    ("", "", ""),
]


def told(events: list[Event]) -> tuple[str, str]:
    thoughts = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    return thoughts, "".join(event.text for event in events if isinstance(event, TextDelta))


def stream(text: str) -> list[bytes]:
    chunks = [{"choices": [{"index": 0, "delta": {"content": one}}]} for one in text]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]


@pytest.mark.parametrize(("text", "thoughts", "rest"), CASES)
def test_a_stream_of_single_letters(text: str, thoughts: str, rest: str) -> None:
    reader = ThinkTagsReader(ChatReader())
    events = [event for piece in stream(text) for event in reader.feed(piece)] + reader.end()
    assert told(events) == (thoughts, rest)
    assert isinstance(events[-1], Finished)
    kinds = [type(event) for event in events if isinstance(event, TextDelta | ThinkingDelta | BlockEnded)]
    for before, after in itertools.pairwise(kinds):
        assert {before, after} != {TextDelta, ThinkingDelta}  # a block ends before another begins


@pytest.mark.parametrize(("text", "thoughts", "rest"), CASES)
def test_a_plain_answer(text: str, thoughts: str, rest: str) -> None:
    body = {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}
    assert told(ThinkTagsReader(ChatReader()).whole(json.dumps(body).encode())) == (thoughts, rest)


def test_any_cuts() -> None:
    wire = b"".join(stream("<think>hm hm</think>yes"))
    for pieces in cuts(wire, "tags"):
        reader = ThinkTagsReader(ChatReader())
        assert told([event for piece in pieces for event in reader.feed(piece)] + reader.end()) == ("hm hm", "yes")
