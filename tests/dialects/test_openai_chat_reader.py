"""Answers read as events: the golden tables, in every spelling and every cut."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects import openai_chat_reader
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.sse import write_data
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Fault,
    Finished,
    Reported,
    TextDelta,
    ToolBegan,
    ToolDelta,
)
from tests.dialects.golden import Golden, answers, cuts, other_spellings, streams


def read(pieces: list[bytes]) -> tuple[tuple[Event, ...], ChatReader]:
    reader = ChatReader()
    found: list[Event] = []
    for piece in pieces:
        found += reader.feed(piece)
    found += reader.end()
    return tuple(found), reader


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream(golden: Golden) -> None:
    found, reader = read([golden.wire])
    assert found == golden.events
    golden.tally(reader.tally)


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream_in_any_cuts(golden: Golden) -> None:
    for pieces in cuts(golden.wire, golden.name, times=10):
        found, reader = read(pieces)
        assert found == golden.events
        golden.tally(reader.tally)


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_case_35_a_stream_in_any_spelling(golden: Golden) -> None:
    for spelling, data in other_spellings(golden.wire).items():
        for pieces in cuts(data, golden.name + spelling):
            found, reader = read(pieces)
            assert found == golden.events, spelling
            golden.tally(reader.tally)


@pytest.mark.parametrize("golden", answers(), ids=str)
def test_a_plain_answer(golden: Golden) -> None:
    reader = ChatReader()
    assert tuple(reader.whole(golden.wire)) == golden.events
    golden.tally(reader.tally)


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_blocks_are_serial_and_ends_are_said_once(golden: Golden) -> None:
    """The law of the events, for whatever was read."""
    open_block: dict[int, str] = {}
    finished: Counter[int] = Counter()
    for place, event in enumerate(golden.events):
        if isinstance(event, (Fault, Reported)):
            assert place == len(golden.events) - 1
        elif isinstance(event, Began):
            assert place == 0
        elif isinstance(event, BlockEnded):
            del open_block[event.index]
        elif isinstance(event, Finished):
            finished[event.index] += 1
            assert event.index not in open_block
        elif isinstance(event, ToolBegan):
            assert event.index not in open_block
            assert event.call_id
            assert event.name
            open_block[event.index] = "ToolDelta"
        elif isinstance(event, Aside):
            assert open_block[event.index] == "TextDelta"
        else:
            assert open_block.setdefault(event.index, type(event).__name__) == type(event).__name__
    assert all(count == 1 for count in finished.values())
    assert not open_block or golden.fault is not None


def chunk(delta: object, finish: str | None = None, **more: object) -> bytes:
    body = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
    return write_data(json.dumps(body).encode())


def fragment(index: int, arguments: str, **more: str) -> dict[str, object]:
    call_id = more.pop("id", None)
    return {"index": index, "id": call_id, "function": {"arguments": arguments, **more}}


def test_what_the_model_drew_is_shown() -> None:
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, {"odd": 1}]
    events, reader = read([chunk({"content": "See: "}), chunk({"images": images}, "stop"), b"data: [DONE]\n\n"])
    assert "".join(one.text for one in events if isinstance(one, TextDelta)) == (
        "See: ![image](data:image/png;base64,AA)"
    )
    assert reader.tally.output_bytes == 6


def test_nothing_is_read_after_a_fault_or_the_end() -> None:
    reader = ChatReader()
    (began, said, fault) = reader.feed(
        chunk({"content": "x"}) + write_data(b'{"error":"gone"}') + chunk({"content": "y"})
    )
    assert (type(began), type(said), fault) == (Began, TextDelta, Fault(message="gone"))
    assert reader.feed(chunk({"content": "z"})) == reader.end() == []
    assert reader.tally.output_bytes == 1


def test_case_02_any_interleaving_of_calls_is_put_in_order() -> None:
    """Each of three calls fragment by fragment, in every rotation: all arguments arrive, in one block each."""
    arguments = ['{"path":"a}b","n":[1,{}]}', "{}", '{"say":"\\"{\\\\"}']

    def run(order: list[int]) -> None:
        left = [[text[at : at + 3] for at in range(0, len(text), 3)] for text in arguments]
        reader = ChatReader()
        events: list[Event] = []
        named: set[int] = set()
        for which in order:
            piece = left[which].pop(0)
            first = {} if which in named else {"id": f"c{which}", "name": f"tool{which}"}
            named.add(which)
            events += reader.feed(chunk({"tool_calls": [fragment(which, piece, **first)]}))
        events += reader.feed(chunk({}, "tool_calls")) + reader.end()
        blocks: list[list[str]] = []
        for event in events:
            if isinstance(event, ToolBegan):
                blocks.append([event.name, ""])
            elif isinstance(event, ToolDelta):
                blocks[-1][1] += event.arguments
        assert sorted(blocks) == [[f"tool{which}", text] for which, text in enumerate(arguments)]
        assert sum(isinstance(event, BlockEnded) for event in events) == 3

    counts = [-(-len(text) // 3) for text in arguments]

    @given(st.permutations([which for which, count in enumerate(counts) for _ in range(count)]))
    def every_order(order: list[int]) -> None:
        run(order)

    every_order()


def test_case_02_a_call_is_live_once_the_one_before_is_whole() -> None:
    reader = ChatReader()
    reader.feed(chunk({"tool_calls": [fragment(0, '{"a":', id="c0", name="look")]}))
    assert reader.feed(chunk({"tool_calls": [fragment(1, '{"b":', id="c1", name="read")]})) == []
    assert reader.feed(chunk({"tool_calls": [fragment(0, "1}")]})) == [
        ToolDelta(arguments="1}"),
        BlockEnded(),
        ToolBegan(call_id="c1", name="read"),
        ToolDelta(arguments='{"b":'),
    ]
    assert reader.feed(chunk({"tool_calls": [fragment(1, "2}")]})) == [ToolDelta(arguments="2}")]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_chat_reader, "MOST_WAITING", 10_000)
    reader = ChatReader()
    reader.feed(chunk({"tool_calls": [fragment(0, "{", id="c0", name="look")]}))
    for _ in range(60):
        reader.feed(chunk({"content": "x"}))
    assert reader.tally.fault is not None
    assert "interleaves more" in reader.tally.fault.message


def test_case_04_made_up_ids_differ_between_answers_and_calls() -> None:
    def ids(upstream_id: str) -> list[str]:
        calls = [{"function": {"name": "look", "arguments": "{}"}}] * 2
        body = {"id": upstream_id, "choices": [{"message": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
        return [
            event.call_id for event in ChatReader().whole(json.dumps(body).encode()) if isinstance(event, ToolBegan)
        ]

    assert len({*ids("a"), *ids("b")}) == 4
    assert ids("a") == ids("a")
