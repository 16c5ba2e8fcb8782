"""The parsers of openai-responses under random input: the same laws as any dialect's."""

import json
from random import Random

from conflux.dialects import DIALECTS
from conflux.dialects.base import Shape, Wanted
from conflux.dialects.openai_responses import OpenAIResponses
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Event
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage
from tests.dialects import golden_responses
from tests.dialects.golden_responses import data_of
from tests.fuzz.laws import check_events, cut

RESPONSES = OpenAIResponses()
ASKED = Request(dialect="openai-responses", messages=())
WANTED = Wanted(answer_id="resp_ours", model="house/model", created=7)
SHAPES = (Shape(model="up"), Shape(model="up", stream=True, max_output=5, temperature=0.5, effort="high"))

REQUESTS = (
    b'{"model":"m","input":"Hi","instructions":"be","stream":true,"store":true,"text":{"format":{"type":"json_object"}}}',
    b'{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image",'
    b'"image_url":"data:image/png;base64,QQ=="}]},{"type":"reasoning","summary":[],"encrypted_content":"x"},'
    b'{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c",'
    b'"output":"1"}],"tools":[{"type":"function","name":"f","parameters":{}},{"type":"web_search"}]}',
    b'{"model":"m","input":[{"type":"custom_tool_call","call_id":"c","name":"p","input":"x"},'
    b'{"type":"custom_tool_call_output","call_id":"c","output":"ok"},{"type":"compaction","encrypted_content":"z"}],'
    b'"tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]},{"type":"custom","name":"p"}],'
    b'"tool_choice":{"type":"function","name":"f","namespace":"n"},"include":["reasoning.encrypted_content"]}',
)
STREAMS = tuple(row.wire for row in golden_responses.streams())
_SOUND = [row for row in golden_responses.streams() if row.sound]
ANSWERS = tuple(json.dumps(data_of(row.wire)[-1]["response"]).encode() for row in _SOUND)


def a_sayable(error: GatewayError) -> None:
    status, body = RESPONSES.error(error, "openai")
    assert 400 <= status < 500
    assert json.loads(body)["error"]["message"]


def open_request(data: bytes, chance: Random) -> None:
    try:
        envelope = RESPONSES.open(data)
        sent = json.loads(RESPONSES.forward(envelope, chance.choice(SHAPES)).body)
        assert (sent["model"], sent["store"]) == ("up", False)
        request = RESPONSES.read_request(envelope)
        again = RESPONSES.write_request(request, chance.choice(SHAPES)).body
        assert RESPONSES.open(again).model == "up"
    except GatewayError as error:
        a_sayable(error)
        return
    for dialect in DIALECTS.values():
        try:
            dialect.write_request(request, chance.choice(SHAPES))
        except GatewayError as error:
            a_sayable(error)


def _written(events: list[Event]) -> None:
    writer = RESPONSES.writer(WANTED, ASKED)
    found = data_of(writer.feed(events) + writer.last(Usage()))
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert json.loads(RESPONSES.writer(WANTED, ASKED).whole(events, Usage()))["id"] == "resp_ours"


def read_stream(data: bytes, chance: Random) -> None:
    one, other = RESPONSES.reader({}), RESPONSES.reader({})
    events = one.feed(data) + one.end()
    check_events(events)
    assert events == [event for piece in cut(data, chance) for event in other.feed(piece)] + other.end()
    _written(events)


def read_whole(data: bytes, chance: Random) -> None:
    reader = RESPONSES.reader({})
    events = reader.whole(data)
    check_events(events)
    assert reader.tally.fault is not None or reader.tally.finished
    _written(events)


def relay_stream(data: bytes, chance: Random) -> None:
    one, other = RESPONSES.passthrough(WANTED), RESPONSES.passthrough(WANTED)
    out = one.feed(data) + one.end()
    assert out == b"".join([other.feed(piece) for piece in cut(data, chance)]) + other.end()
    if one.tally.finished:
        out += one.last(Usage(input=1))
    data_of(out)
    assert b"\r" not in out


def relay_whole(data: bytes, chance: Random) -> None:
    lane = RESPONSES.passthrough(WANTED)
    lane.whole(data)
    if lane.tally.fault is None:
        found = json.loads(lane.last(Usage(input=1)))
        assert (found["id"], found["model"], found["store"]) == ("resp_ours", "house/model", False)
