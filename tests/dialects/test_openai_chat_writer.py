"""Events written as answers: what is canonical comes out as it went in, everything else reads as what it was."""

import json
from typing import Any

import msgspec
import pytest

from conflux.dialects.base import Wanted
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.openai_chat_writer import ChatWriter
from conflux.neutral.events import (
    Began,
    BlockEnded,
    Event,
    Fault,
    Finished,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.usage import Usage
from tests.dialects.golden import BILLED, UNASKED, WANTED, Golden, answers, streams

AS_UPSTREAM = Wanted(answer_id="up-1", model="upstream-model", created=1700000000, include_usage=True)
SOUND_STREAMS = [golden for golden in streams() if golden.fault is None and golden.finished]
SOUND_ANSWERS = [golden for golden in answers() if golden.fault is None]


@pytest.mark.parametrize("golden", [golden for golden in streams() if golden.canonical], ids=str)
def test_a_canonical_stream_is_written_as_it_was_read(golden: Golden) -> None:
    writer = ChatWriter(AS_UPSTREAM)
    assert golden.usage is not None
    assert writer.feed(golden.events) + writer.last(golden.usage) == golden.wire


def test_tools_in_the_older_form_are_called_in_it() -> None:
    events: list[Event] = [
        Began(), ToolBegan(call_id="c1", name="f"), ToolDelta(arguments="{}"), BlockEnded(),
        ToolBegan(call_id="c2", name="g"), ToolDelta(arguments="[]"), BlockEnded(), Finished(stop=Stop.TOOL_CALLS),
    ]  # fmt: skip
    second = {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "[]"}}
    [choice] = json.loads(ChatWriter(WANTED, by_function=True).whole(events, Usage()))["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert choice["message"]["tool_calls"] == [second]
    out = ChatWriter(WANTED, by_function=True).feed(events)
    found = [json.loads(event.removeprefix(b"data: "))["choices"][0] for event in out.split(b"\n\n") if event]
    deltas = [one["delta"] for one in found]
    assert [one["function_call"] for one in deltas[:2]] == [{"name": "f", "arguments": ""}, {"arguments": "{}"}]
    assert [one["tool_calls"][0]["index"] for one in deltas[2:4]] == [0, 0]
    assert found[-1]["finish_reason"] == "function_call"


@pytest.mark.parametrize("golden", [golden for golden in answers() if golden.canonical], ids=str)
def test_a_canonical_answer_is_written_as_it_was_read(golden: Golden) -> None:
    assert golden.usage is not None
    assert ChatWriter(AS_UPSTREAM).whole(golden.events, golden.usage) == golden.wire


@pytest.mark.parametrize("golden", SOUND_STREAMS, ids=str)
def test_a_written_stream_reads_as_the_same_events(golden: Golden) -> None:
    writer = ChatWriter(AS_UPSTREAM)
    out = b"".join([writer.feed([event]) for event in golden.events]) + writer.last(golden.usage or BILLED)
    reader = ChatReader()
    found = [*reader.feed(out), *reader.end()]
    assert _core(found) == _core(golden.events)
    assert reader.tally.usage == (golden.usage or BILLED)


@pytest.mark.parametrize("golden", SOUND_ANSWERS, ids=str)
def test_a_written_answer_reads_as_the_same_events(golden: Golden) -> None:
    found = ChatReader().whole(ChatWriter(AS_UPSTREAM).whole(golden.events, golden.usage or BILLED))
    assert _core(found) == _core(golden.events)


@pytest.mark.parametrize("golden", SOUND_STREAMS, ids=str)
def test_the_plain_answer_to_a_stream_says_the_same(golden: Golden) -> None:
    """As an accumulating client would have put the stream together."""
    body = json.loads(ChatWriter(WANTED).whole(golden.events, BILLED))
    writer = ChatWriter(UNASKED)
    stream = writer.feed(golden.events) + writer.last(BILLED)
    assert body["choices"] == accumulated(stream)


def _core(events: Any) -> list[Event]:
    return [event for event in events if type(event).__name__ not in ("Began", "Reported")]


def accumulated(stream: bytes) -> list[dict[str, Any]]:
    """What the official clients make of a stream: text is joined, calls by index; ids, names and roles come once."""
    choices: dict[int, dict[str, Any]] = {}
    *events, done, rest = stream.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    for event in events:
        chunk = json.loads(event.removeprefix(b"data: "))
        assert (chunk["id"], chunk["object"]) == ("chatcmpl-ours", "chat.completion.chunk")
        assert (chunk["created"], chunk["model"]) == (1700000009, "house/model")
        for delta in chunk["choices"]:
            one = choices.setdefault(delta["index"], {"index": delta["index"], "message": {}, "finish_reason": None})
            one["finish_reason"] = delta["finish_reason"] or one["finish_reason"]
            if "logprobs" in delta:
                mine = one.setdefault("logprobs", {"content": None, "refusal": None})
                mine.update({name: (mine[name] or []) + more for name, more in delta["logprobs"].items() if more})
            _merge(one["message"], delta["delta"])
    for one in choices.values():
        message = one["message"]
        message.setdefault("content", None if message.get("tool_calls") or message.get("refusal") else "")
    return [{**one, "message": one["message"]} for _, one in sorted(choices.items())]


def _merge(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "role":
            assert "role" not in message
            message[name] = value
        elif name != "tool_calls":
            message[name] = message[name] + value if name in message else value
    for call in delta.get("tool_calls", ()):
        call = dict(call)
        place = call.pop("index")
        calls = message.setdefault("tool_calls", [])
        assert isinstance(place, int)
        if place == len(calls):
            calls.append(call)
            assert call["id"]
            continue
        assert not call.keys() & {"id", "type"}
        (kind,) = call.keys()
        for name, value in call[kind].items():
            assert name != "name"
            calls[place][kind][name] += value


def test_every_stop_has_its_word() -> None:
    for stop in Stop:
        out = ChatWriter(WANTED).feed([Finished(stop=stop)])
        assert json.loads(out[6:])["choices"][0]["finish_reason"] in ("stop", "length", "tool_calls", "content_filter")


def test_the_usage_chunk_is_written_only_where_it_was_asked_for() -> None:
    assert ChatWriter(UNASKED).last(Usage(input=3)) == b"data: [DONE]\n\n"
    asked = ChatWriter(WANTED).last(Usage(input=3, cache_read=4, output=5, reasoning=6))
    chunk, done, _ = asked.split(b"\n\n")
    assert done == b"data: [DONE]"
    found = json.loads(chunk[6:])
    assert found["choices"] == []
    assert found["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 11,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }


def test_the_model_is_the_upstreams_only_where_nothing_else_was_wanted() -> None:
    writer = ChatWriter(msgspec.structs.replace(WANTED, model=""))
    out = writer.feed([Began(model="up"), TextDelta(text="x")])
    assert json.loads(out[6:])["model"] == "up"
    assert b'"model":"house/model"' in ChatWriter(WANTED).feed([Began(model="up"), TextDelta(text="x")])


def test_what_has_no_place_on_this_wire_is_left_out() -> None:
    silent: list[Event] = [Began(), ThinkingDelta(), BlockEnded(), Fault(message="gone")]
    assert ChatWriter(WANTED).feed(silent) == b""


def test_case_25_a_signature_does_not_break_the_thought() -> None:
    events: list[Event] = [ThinkingDelta(text="hm"), ThinkingDelta(signature="s"), BlockEnded(), TextDelta(text="Yes")]
    (choice,) = json.loads(ChatWriter(WANTED).whole(events, BILLED))["choices"]
    (sealed,) = choice["message"].pop("reasoning_details")
    assert (sealed["type"], sealed["text"], sealed["index"]) == ("reasoning.text", "hm", 0)
    assert choice["message"] == {"role": "assistant", "content": "Yes", "reasoning_content": "hm"}


def test_case_18_never_an_answer_without_content_or_a_reason() -> None:
    (refused,) = json.loads(ChatWriter(WANTED).whole([RefusalDelta(text="No.")], BILLED))["choices"]
    assert refused["message"] == {"role": "assistant", "content": None, "refusal": "No."}
    (empty,) = json.loads(ChatWriter(WANTED).whole([Finished(stop=Stop.CONTENT_FILTER)], BILLED))["choices"]
    assert empty["message"] == {"role": "assistant", "content": ""}
    assert empty["finish_reason"] == "content_filter"


@pytest.mark.parametrize("logprobs", [{"content": 5}, {"content": None}, {"other": [1]}, [1], "x", {}])
def test_odd_logprobs_break_nothing(logprobs: Any) -> None:
    (choice,) = json.loads(ChatWriter(WANTED).whole([TextDelta(text="x", logprobs=logprobs)], BILLED))["choices"]
    assert "logprobs" not in choice


def test_arguments_without_a_call_are_not_written() -> None:
    (choice,) = json.loads(ChatWriter(WANTED).whole([ToolDelta(arguments="{}"), TextDelta(text="x")], BILLED))[
        "choices"
    ]
    assert choice["message"]["content"] == "x"


def test_two_choices_count_their_calls_apart() -> None:
    writer = ChatWriter(WANTED)
    places = []
    for index in (0, 1, 0):
        out = writer.feed([ToolBegan(call_id="c", name="look", index=index), BlockEnded(index=index)])
        (choice,) = json.loads(out[6:])["choices"]
        places.append((choice["index"], choice["delta"]["tool_calls"][0]["index"]))
    assert places == [(0, 0), (1, 0), (0, 1)]
