"""A field of the house in an answer of any dialect: added once, in a whole event, and nothing else changes."""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerWriter, Wanted
from conflux.dialects.flux_field import in_body, in_event, in_last
from conflux.neutral.events import Began, BlockEnded, Event, Finished, Stop, TextDelta
from conflux.neutral.request import Message, Request, Role, Text
from conflux.neutral.usage import Usage

FIELD = b'{"event":"result"}'
EVENTS: list[Event] = [
    Began(model="m"),
    # An event's looks inside of a text must not be taken for one.
    TextDelta(text='say \n\ndata: {"a":1}\nevent: message_delta\ndata: {"response":{'),
    BlockEnded(),
    Finished(stop=Stop.END),
]
FACES = [name for name in DIALECTS if name != "embeddings"]


def wanted(*, include_usage: bool = False) -> Wanted:
    return Wanted(answer_id="x_1", model="conflux/flux", created=7, include_usage=include_usage)


def writer(name: str, want: Wanted) -> AnswerWriter:
    request = Request(dialect=name, messages=(Message(role=Role.USER, parts=(Text(text="hi"),)),))
    return DIALECTS[name].writer(want, request)


def datas(out: bytes) -> list[Any]:
    lines = [line[6:] for line in out.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) if line != b"[DONE]" else None for line in lines]


def fields(events: list[Any]) -> list[Any]:
    return [(one.get("response") or one).get("flux") for one in events if one is not None]


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("name", FACES)
def test_the_end_of_a_stream_has_it_once(name: str, include_usage: bool) -> None:
    want = wanted(include_usage=include_usage)
    one = writer(name, want)
    one.feed(EVENTS)
    out = one.last(Usage(input=1, output=2))
    told = in_last(name, out, FIELD, want)
    found = [one for one in fields(datas(told)) if one is not None]
    assert found == [json.loads(FIELD)]
    plain = told.replace(b'"flux":' + FIELD + b",", b"")
    assert plain.endswith(out)
    assert not (told.startswith(b"data: [DONE]")), "the last word is the last"
    if name == "anthropic-messages":
        assert datas(told)[-2]["flux"] == json.loads(FIELD)
        assert datas(told)[-2]["type"] == "message_delta"
    if name == "openai-responses":
        assert datas(told)[-1]["response"]["flux"] == json.loads(FIELD)


@pytest.mark.parametrize("name", FACES)
def test_what_keeps_a_connection_alive_can_carry_it(name: str) -> None:
    one = writer(name, wanted())
    for _ in range(2):
        events = datas(in_event(one.keep_alive(), FIELD))
        assert [event.get("flux") for event in events] == [None] * (len(events) - 1) + [json.loads(FIELD)]


@pytest.mark.parametrize("name", FACES)
def test_a_plain_answer_has_it_at_its_top(name: str) -> None:
    body = writer(name, wanted()).whole(EVENTS, Usage(input=1, output=2))
    told = json.loads(in_body(body, FIELD))
    assert told.pop("flux") == json.loads(FIELD)
    assert told == json.loads(body)
