"""The parsers of openai-completions under fuzz: requests forwarded and read, answers read, written and relayed."""

import json
from random import Random

from conflux.dialects.base import Shape, Wanted
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_completions import OpenAICompletions
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage
from tests.dialects import golden
from tests.fuzz.laws import check_events, cut

COMPLETIONS, CHAT = OpenAICompletions(), OpenAIChat()
ASKED = Request(dialect="openai-completions", messages=())
WANTED = Wanted(answer_id="cmpl-ours", model="house/model", created=7, include_usage=True)
SHAPES = (
    Shape(model="up"),
    Shape(model="up", stream=True, max_output=5, temperature=0.5, effort="high"),
    Shape(model="up", quirks={"developer_role": False, "choices": False, "refuses": ["user"]}),
)
REQUESTS = tuple(row.wire for row in golden.requests(golden.COMPLETIONS))
STREAMS = tuple(row.wire for row in golden.streams(golden.COMPLETIONS))
ANSWERS = tuple(row.wire for row in golden.answers(golden.COMPLETIONS))


def open_request(data: bytes, chance: Random) -> None:
    try:
        envelope = COMPLETIONS.open(data)
        shape = chance.choice(SHAPES)
        assert json.loads(COMPLETIONS.forward(envelope, shape).body)["model"] == "up"
        request = COMPLETIONS.read_request(envelope)
        written = COMPLETIONS.write_request(request, shape).body
        assert COMPLETIONS.open(written).choices == envelope.choices
        CHAT.write_request(request, shape)
    except GatewayError as error:
        status, body = COMPLETIONS.error(error, "openai")
        assert 400 <= status < 500
        assert json.loads(body)["error"]["message"]


def _check(body: bytes) -> None:
    found = json.loads(body, parse_int=str, parse_float=str)
    assert found.keys() <= {"id", "object", "created", "model", "choices", "usage"}
    assert (found["id"], found["model"], found["object"]) == ("cmpl-ours", "house/model", "text_completion")


def _check_stream(out: bytes) -> None:
    for event in out.split(b"\n\n"):
        if event not in (b"", b"data: [DONE]"):
            _check(event.removeprefix(b"data: "))


def read_stream(data: bytes, chance: Random) -> None:
    one, other = COMPLETIONS.reader({}), COMPLETIONS.reader({})
    events = one.feed(data) + one.end()
    check_events(events)
    assert events == [event for piece in cut(data, chance) for event in other.feed(piece)] + other.end()
    writer = COMPLETIONS.writer(WANTED, ASKED)
    _check_stream(writer.feed(events) + writer.last(Usage()))


def read_whole(data: bytes, chance: Random) -> None:
    reader = COMPLETIONS.reader({})
    events = reader.whole(data)
    check_events(events)
    assert reader.tally.fault is not None or reader.tally.finished
    _check(COMPLETIONS.writer(WANTED, ASKED).whole(events, Usage()))


def relay_stream(data: bytes, chance: Random) -> None:
    one, other = COMPLETIONS.passthrough(WANTED), COMPLETIONS.passthrough(WANTED)
    out = one.feed(data) + one.end()
    assert out == b"".join([other.feed(piece) for piece in cut(data, chance)]) + other.end()
    if one.tally.fault is None:
        _check_stream(out + one.last(Usage(input=1)))


def relay_whole(data: bytes, chance: Random) -> None:
    lane = COMPLETIONS.passthrough(WANTED)
    lane.whole(data)
    if lane.tally.fault is None:
        _check(lane.last(Usage(input=1)))
