"""Completions, carried through byte by byte and written from events."""

import json

import pytest
from msgspec.structs import replace

from conflux.dialects.openai_chat_answer_wire import read_text_choices
from conflux.dialects.openai_chat_intake import Intake
from conflux.dialects.openai_completions_writer import CompletionsPassThrough, CompletionsWriter, keep_alive
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Began, Event, Finished, RefusalDelta, Stop, TextDelta, ThinkingDelta
from conflux.neutral.usage import Usage
from tests.dialects.golden import BILLED, COMPLETIONS, Golden, answers, cuts, other_spellings, streams
from tests.dialects.golden import WANTED as CHATS

WANTED = replace(CHATS, answer_id="cmpl-ours")
UNASKED = replace(WANTED, include_usage=False)


def lane(*, asked: bool = True) -> CompletionsPassThrough:
    return CompletionsPassThrough(WANTED if asked else UNASKED, Intake(read_text_choices))


def relay(pieces: list[bytes], *, asked: bool = True) -> bytes:
    one = lane(asked=asked)
    out = b"".join([one.feed(piece) for piece in pieces]) + one.end()
    if one.tally.fault is None and one.tally.finished:
        out += one.last(one.tally.usage or BILLED)
    return out


@pytest.mark.parametrize("golden", streams(COMPLETIONS), ids=str)
def test_a_stream_passes_in_any_cuts(golden: Golden) -> None:
    assert relay([golden.wire], asked=False) == golden.hidden
    for pieces in [[golden.wire], *cuts(golden.wire, golden.name)]:
        assert relay(pieces) == golden.relayed
    for spelling, data in other_spellings(golden.wire).items():
        assert relay([data]) == golden.relayed, spelling


@pytest.mark.parametrize("golden", answers(COMPLETIONS), ids=str)
def test_an_answer_passes(golden: Golden) -> None:
    one = lane()
    one.whole(golden.wire)
    golden.tally(one.tally, relayed=True)
    if golden.fault is None:
        assert one.last(one.tally.usage or BILLED) == golden.relayed
        assert b"secret" not in golden.relayed


@pytest.mark.parametrize("golden", [one for one in streams(COMPLETIONS) if one.canonical], ids=str)
def test_a_stream_is_written_as_it_was_read(golden: Golden) -> None:
    writer = CompletionsWriter(WANTED)
    assert golden.usage is not None
    found = writer.feed(golden.events) + writer.last(golden.usage)
    want = [json.loads(one[6:]) if one[6:7] == b"{" else one for one in golden.relayed.split(b"\n\n") if one]
    have = [json.loads(one[6:]) if one[6:7] == b"{" else one for one in found.split(b"\n\n") if one]
    for one in (*want, *have):
        if isinstance(one, dict):
            one.pop("created")
            one.pop("usage", None)
    assert have == want


def written(*events: Event) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(CompletionsWriter(WANTED).whole(events, Usage(input=1)))["choices"]
    return found


def test_an_answer_is_put_together() -> None:
    chances = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": None, "text_offset": [0]}
    more = {"tokens": ["b"], "token_logprobs": [-2.0], "top_logprobs": None, "text_offset": [1]}
    (first, second) = written(
        Began(model="up"), ThinkingDelta(text="hm"), TextDelta(text="a", logprobs=chances),
        TextDelta(text="c", index=1), TextDelta(text="b", logprobs=more),
        Finished(stop=Stop.LENGTH), Finished(stop=Stop.END, index=1),
    )  # fmt: skip
    joined = {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0], "text_offset": [0, 1]}
    assert first == {"index": 0, "text": "ab", "logprobs": joined, "finish_reason": "length"}
    assert second == {"index": 1, "text": "c", "logprobs": None, "finish_reason": "stop"}


@pytest.mark.parametrize("stop", list(Stop))
def test_every_reason_has_a_word(stop: Stop) -> None:
    (choice,) = written(TextDelta(text="a"), Finished(stop=stop))
    assert choice["finish_reason"] in ("stop", "length", "content_filter")


def test_case_18_a_refusal_is_told_as_one() -> None:
    events = (RefusalDelta(text="No."), Finished(stop=Stop.END))
    assert written(*events) == [{"index": 0, "text": "No.", "logprobs": None, "finish_reason": "content_filter"}]
    assert b'"finish_reason":"content_filter"' in CompletionsWriter(WANTED).feed(events)


def test_the_upstream_is_named_only_where_it_shall_be() -> None:
    assert json.loads(CompletionsWriter(WANTED).whole([Began(model="up")], Usage()))["model"] == "house/model"
    echo = CompletionsWriter(replace(WANTED, model=""))
    assert json.loads(echo.feed([Began(model="up"), TextDelta(text="a")])[6:])["model"] == "up"


def test_silence_and_failure() -> None:
    chunk = json.loads(lane().keep_alive()[6:])
    assert chunk["choices"] == [{"index": 0, "text": "", "logprobs": None, "finish_reason": None}]
    assert lane().keep_alive() == keep_alive(WANTED) == CompletionsWriter(WANTED).keep_alive()
    error = GatewayError(Kind.UPSTREAM_FAILED, "broke off")
    assert b"broke off" in CompletionsWriter(WANTED).fail(error) == lane().fail(error)
    assert CompletionsWriter(UNASKED).last(Usage()) == b"data: [DONE]\n\n"
