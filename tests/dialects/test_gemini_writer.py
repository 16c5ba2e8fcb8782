"""Events written as answers: the golden tables, and what Gemini's clients were promised."""

import json

import msgspec
import pytest

from conflux.dialects.gemini_writer import GeminiWriter
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import (
    Began,
    BlockEnded,
    Event,
    Finished,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.request import Reasoning, Request
from conflux.neutral.usage import Usage
from tests.dialects.gemini_golden import BILLED, WANTED, Golden, answers, streams

ASKED = Request(dialect="gemini", messages=(), reasoning=Reasoning(summary="auto"))
SILENT = Request(dialect="gemini", messages=())


def parts(events: list[Event], request: Request = ASKED) -> list[dict[str, object]]:
    body = GeminiWriter(WANTED, request).whole(events, Usage())
    found: list[dict[str, object]] = json.loads(body)["candidates"][0]["content"]["parts"]
    return found


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream(golden: Golden) -> None:
    writer = GeminiWriter(WANTED, ASKED)
    out = b"".join([writer.feed([event]) for event in golden.events])
    usage = next((event.usage for event in golden.events if hasattr(event, "usage") and event.usage), BILLED)
    if golden.fault is None and any(isinstance(event, Finished) for event in golden.events):
        out += writer.last(usage)
    assert out == golden.written


@pytest.mark.parametrize("golden", [one for one in answers() if one.fault is None], ids=str)
def test_an_answer(golden: Golden) -> None:
    usage = next((event.usage for event in golden.events if hasattr(event, "usage") and event.usage), BILLED)
    assert GeminiWriter(WANTED, ASKED).whole(golden.events, usage) == golden.written


def test_thoughts_are_told_only_to_who_asked() -> None:
    events: list[Event] = [ThinkingDelta(text="hm"), BlockEnded(), TextDelta(text="yes"), BlockEnded()]
    assert parts(events) == [{"text": "hm", "thought": True}, {"text": "yes"}]
    assert parts(events, SILENT) == [{"text": "yes"}]


def test_case_25_a_foreign_signature_travels_wrapped() -> None:
    events: list[Event] = [ThinkingDelta(text="hm", signature="abc", issuer="anthropic-messages")]
    signature = parts(events)[0]["thoughtSignature"]
    assert isinstance(signature, str) and signature != "abc"


def test_case_02_interleaved_candidates_keep_their_calls_apart() -> None:
    events: list[Event] = [
        ToolBegan(call_id="a", name="f"),
        ToolBegan(call_id="b", name="g", index=1),
        ToolDelta(arguments='{"x":'),
        ToolDelta(arguments="{}", index=1),
        ToolDelta(arguments="1}"),
        BlockEnded(index=1),
        BlockEnded(),
    ]
    found = json.loads(GeminiWriter(WANTED, ASKED).whole(events, Usage()))["candidates"]
    assert [one["content"]["parts"][0]["functionCall"] for one in found] == [
        {"id": "a", "name": "f", "args": {"x": 1}},
        {"id": "b", "name": "g", "args": {}},
    ]


def test_case_17_arguments_that_were_cut_are_not_lost() -> None:
    events: list[Event] = [ToolBegan(call_id="a", name="f"), ToolDelta(arguments='{"x":'), BlockEnded()]
    assert parts(events)[0]["functionCall"] == {"id": "a", "name": "f", "args": {"input": '{"x":'}}


def test_a_refusal_is_text() -> None:
    events: list[Event] = [RefusalDelta(text="No."), BlockEnded(), Finished(stop=Stop.REFUSAL)]
    body = json.loads(GeminiWriter(WANTED, ASKED).whole(events, Usage()))["candidates"][0]
    assert body["content"]["parts"] == [{"text": "No."}] and body["finishReason"] == "SAFETY"


def test_case_18_only_the_reason_tells_that_words_are_a_refusal() -> None:
    events: list[Event] = [RefusalDelta(text="I cannot."), BlockEnded(), Finished(stop=Stop.END)]
    streamed = GeminiWriter(WANTED, ASKED)
    out = streamed.feed(events) + streamed.last(Usage())
    assert b'"finishReason":"SAFETY"' in out
    assert json.loads(GeminiWriter(WANTED, ASKED).whole(events, Usage()))["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize("stop", list(Stop))
def test_case_16_every_stop_has_a_reason(stop: Stop) -> None:
    writer = GeminiWriter(WANTED, ASKED)
    writer.feed([Finished(stop=stop)])
    assert b'"finishReason":"' in writer.last(Usage())


def test_the_upstreams_model_is_echoed_where_wanted() -> None:
    writer = GeminiWriter(msgspec.structs.replace(WANTED, model=""), ASKED)
    assert b'"modelVersion":"up"' in writer.feed([Began(model="up"), TextDelta(text="a")])


def test_it_says_that_it_lives_and_that_it_broke() -> None:
    writer = GeminiWriter(WANTED, ASKED)
    chunk = json.loads(writer.keep_alive()[6:])
    assert chunk["candidates"][0]["content"]["parts"] == [{"text": ""}]
    assert json.loads(writer.fail(GatewayError(Kind.UPSTREAM_TIMEOUT, "slow"))[6:])["error"]["code"] == 504
