"""Sealed thoughts on the chat wire: whole to whoever sealed them, closed to everybody else."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from openai.lib.streaming._deltas import accumulate_delta

from conflux.dialects.base import Shape, Wanted
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.openai_chat_thoughts import Thoughts, as_forwarded, handed_back, read
from conflux.dialects.openai_chat_writer import ChatWriter
from conflux.neutral.events import BlockEnded, Event, Finished, Stop, TextDelta, ThinkingDelta
from conflux.neutral.request import Thinking
from conflux.neutral.usage import Usage

CHAT = OpenAIChat()
WANTED = Wanted(answer_id="chatcmpl-ours", model="house/model", created=7)
SIGNED = {"type": "reasoning.text", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}
SEALED = {"type": "reasoning.encrypted", "data": "blob", "id": "rs_1", "format": "openai-responses-v1", "index": 1}
KNOWS = Shape(model="up", quirks={"reasoning_details": True})


def chunk(**delta: Any) -> bytes:
    return b"data: " + json.dumps({"id": "x", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


STREAM = (
    chunk(
        role="assistant", reasoning="hm, ", reasoning_details=[{"type": "reasoning.text", "text": "hm, ", "index": 0}]
    )
    + chunk(reasoning="so", reasoning_details=[{"type": "reasoning.text", "text": "so", "index": 0}])
    + chunk(reasoning_details=[SIGNED])
    + chunk(reasoning_details=[SEALED])
    + chunk(content="Yes")
    + b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


def gathered(out: bytes) -> dict[str, Any]:
    """The message as the official client puts it together."""
    message: dict[object, object] = {}
    for event in out.split(b"\n\n"):
        if event.startswith(b"data: {"):
            for choice in json.loads(event[6:])["choices"]:
                message = accumulate_delta(message, choice["delta"])
    return {str(name): value for name, value in message.items()}


def compat(data: bytes) -> bytes:
    reader, writer = ChatReader({}), ChatWriter(WANTED)
    return writer.feed(reader.feed(data) + reader.end()) + writer.last(Usage())


def relayed(data: bytes) -> bytes:
    lane = ChatPassThrough(WANTED)
    return lane.feed(data) + lane.end() + lane.last(Usage())


def asked_again(message: dict[str, Any]) -> bytes:
    turns = [{"role": "user", "content": "a"}, message, {"role": "user", "content": "b"}]
    return json.dumps({"model": "m", "messages": turns}).encode()


@pytest.mark.parametrize("lane", [compat, relayed])
def test_what_an_upstream_sealed_comes_back_to_it_and_tells_a_client_nothing(lane: Any) -> None:
    out = lane(STREAM)
    assert b"claude" not in out and b"openai-responses" not in out and b"rs_1" not in out
    message = gathered(out)
    assert (message["content"], len(message["reasoning_details"])) == ("Yes", 2)
    assert (message.get("reasoning_content") or message["reasoning"]) == "hm, so"
    envelope = CHAT.open(asked_again(message))
    for written in (CHAT.forward(envelope, KNOWS), CHAT.write_request(CHAT.read_request(envelope), KNOWS)):
        sent = json.loads(written.body)["messages"][1]
        assert sent["reasoning_details"] == [{**SIGNED, "text": "hm, so"}, SEALED]
        assert written.dropped == ()


def test_others_are_not_sent_it_and_it_is_named() -> None:
    envelope = CHAT.open(asked_again(gathered(compat(STREAM))))
    for written in (CHAT.forward(envelope, Shape(model="up")), CHAT.write_request(CHAT.read_request(envelope),
                                                                                 Shape(model="up"))):  # fmt: skip
        assert b"reasoning_details" not in written.body and b"sig" not in written.body
        assert "reasoning signature" in written.dropped


def test_a_plain_answer_has_it_too() -> None:
    details = [{**SIGNED, "text": "hm"}, SEALED]
    message = {"role": "assistant", "content": "Yes", "reasoning": "hm", "reasoning_details": details}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = json.dumps({"id": "x", "choices": [choice]}).encode()
    lane = ChatPassThrough(WANTED)
    lane.whole(body)
    whole = ChatWriter(WANTED).whole(ChatReader({}).whole(body), Usage())
    for out in (lane.last(Usage()), whole):
        assert b"claude" not in out
        message = json.loads(out)["choices"][0]["message"]
        written = CHAT.forward(CHAT.open(asked_again(message)), KNOWS)
        assert json.loads(written.body)["messages"][1]["reasoning_details"] == details


def test_text_that_is_told_in_the_list_alone_is_text() -> None:
    data = chunk(reasoning_details=[{"type": "reasoning.summary", "summary": "in short", "index": 0}]) + chunk(
        content="x"
    )
    assert gathered(relayed(data))["reasoning_content"] == "in short"
    assert gathered(compat(data))["reasoning_content"] == "in short"


def test_another_issuers_seal_is_given_out_and_comes_back_with_its_text() -> None:
    events: list[Event] = [
        ThinkingDelta(text="one"), ThinkingDelta(signature="s1", issuer="anthropic-messages"), BlockEnded(),
        ThinkingDelta(redacted="r", issuer="anthropic-messages"), BlockEnded(),
        ThinkingDelta(text="two"), ThinkingDelta(signature="s2", issuer="anthropic-messages"), BlockEnded(),
        TextDelta(text="Yes"), BlockEnded(), Finished(stop=Stop.END),
    ]  # fmt: skip
    message = gathered(ChatWriter(WANTED).feed(events))
    request = CHAT.read_request(CHAT.open(asked_again(message)))
    thoughts = [part for part in request.messages[1].parts if isinstance(part, Thinking)]
    assert thoughts == [
        Thinking(text="one", signature="s1", issuer="anthropic-messages"),
        Thinking(redacted="r", issuer="anthropic-messages"),
        Thinking(text="two", signature="s2", issuer="anthropic-messages"),
    ]
    assert CHAT.write_request(request, KNOWS).dropped == ("reasoning signature",)
    assert as_forwarded(message, knows=True)[1] and "reasoning_details" not in as_forwarded(message, knows=True)[0]


def test_an_upstreams_own_list_is_taken_from_whoever_talked_to_it_before() -> None:
    (part,) = read([{**SIGNED, "text": "hm"}])
    assert part.issuer == "openai-chat" and handed_back(part) == {**SIGNED, "text": "hm"}


@pytest.mark.parametrize("details", [[7], ["x"], [None], [{}], [{"type": 1, "signature": 2, "text": 3}],
                                     [{"type": "reasoning.encrypted", "data": ""}]])  # fmt: skip
def test_odd_lists_break_nothing(details: list[Any]) -> None:
    found = list(read(details))
    assert all(not part.signature and not part.redacted for part in found)
    assert gathered(relayed(chunk(content="x", reasoning_details=details)))["content"] == "x"
    assert gathered(compat(chunk(content="x", reasoning_details=details)))["content"] == "x"


def test_a_broken_seal_is_nobodys() -> None:
    assert handed_back(Thinking(text="a", signature="no json", issuer="openai-chat")) is None
    assert handed_back(Thinking(text="a", signature="{}", issuer="gemini")) is None


def test_each_seal_has_a_place_of_its_own() -> None:
    thoughts = Thoughts()
    events: Iterable[ThinkingDelta] = (
        ThinkingDelta(text="a"),
        ThinkingDelta(redacted="r"),
        ThinkingDelta(signature="s"),
    )
    assert [one["index"] for event in events if (one := thoughts.add(event)) is not None] == [0, 1]
