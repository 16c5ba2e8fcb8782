"""What is fuzzed: every parser of foreign bytes, with the law that must hold whatever it is given.

Law: a target takes the bytes and a source of chance, and raises only where the law is broken. One more parser is one
more line in TARGETS; an input that once broke something joins CORPUS and is tried first, for ever.
"""

import json
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerReader, Place, Shape, Wanted
from conflux.dialects.gemini import Gemini
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.openai_usage import AbsurdUsage, read_and_pass
from conflux.dialects.sse import SseError, SseReader
from conflux.dialects.strict_json import decode_measured, encode
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Event
from conflux.neutral.request import Request
from conflux.neutral.usage import BUCKETS, Usage
from tests.dialects import gemini_golden, golden
from tests.fuzz import completions, cross, messages, responses
from tests.fuzz.laws import check_events, cut

CHAT = OpenAIChat()
ASKED = Request(dialect="openai-chat", messages=())
WANTED = Wanted(answer_id="chatcmpl-ours", model="house/model", created=7, include_usage=True)
SHAPES = (
    Shape(model="up"),
    Shape(model="up", stream=True, max_output=5, temperature=0.5, effort="high"),
    Shape(model="up", quirks={"developer_role": False, "max_tokens_field": "max_completion_tokens"}),
)


def a_sayable(error: GatewayError) -> None:
    status, body = CHAT.error(error, "openai")
    assert 400 <= status < 500
    assert json.loads(body)["error"]["message"]


def strict_json(data: bytes, chance: Random) -> None:
    try:
        found, size = decode_measured(data)
    except GatewayError as error:
        a_sayable(error)
        return
    assert found == json.loads(data)
    assert size == len(encode(found))
    assert json.loads(encode(found)) == found


def open_chat(data: bytes, chance: Random) -> None:
    try:
        envelope = CHAT.open(data)
    except GatewayError as error:
        a_sayable(error)
        return
    assert envelope.size > 0
    for shape in SHAPES:
        try:
            sent = json.loads(CHAT.forward(envelope, shape).body)
        except GatewayError as error:
            a_sayable(error)
            continue
        assert sent["model"] == "up"
        assert len(sent["messages"]) == len(envelope.body["messages"])
    try:
        request = CHAT.read_request(envelope)
        written = CHAT.write_request(request, chance.choice(SHAPES)).body
    except GatewayError as error:
        a_sayable(error)
        return
    assert CHAT.open(written).model == "up"
    to_all(request, chance)


def to_all(request: Request, chance: Random) -> None:
    """Towards every dialect a request is written, or refused in words."""
    for dialect in DIALECTS.values():
        try:
            dialect.write_request(request, chance.choice(SHAPES))
        except GatewayError as error:
            a_sayable(error)


def fed(reader: AnswerReader, pieces: Iterable[bytes]) -> list[Event]:
    """Whole and in pieces alike: how deep a text may be nested hangs on how deep its reader was called."""
    found: list[Event] = []
    for piece in pieces:
        found += reader.feed(piece)
    return found + reader.end()


def read_stream(data: bytes, chance: Random) -> None:
    one, other = CHAT.reader({}), CHAT.reader({})
    events = fed(one, [data])
    check_events(events)
    assert events == fed(other, cut(data, chance))
    assert [getattr(one.tally, name) for name in one.tally.__struct_fields__] == [
        getattr(other.tally, name) for name in other.tally.__struct_fields__
    ]
    writer = CHAT.writer(WANTED, ASKED)
    check_stream(writer.feed(events) + writer.last(Usage()))


def read_whole(data: bytes, chance: Random) -> None:
    reader = CHAT.reader({})
    events = reader.whole(data)
    check_events(events)
    assert reader.tally.fault is not None or reader.tally.finished
    check_answer(CHAT.writer(WANTED, ASKED).whole(events, Usage()))


TOP = {"id", "object", "created", "model", "choices", "usage"}


def check_answer(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)
    assert found.keys() <= TOP
    assert (found["id"], found["model"]) == ("chatcmpl-ours", "house/model")
    assert all(
        choice.keys() <= {"index", "delta", "message", "finish_reason", "logprobs"} for choice in found["choices"]
    )
    return found


def check_stream(out: bytes) -> None:
    assert b"\r" not in out
    for event in out.removesuffix(b"data: [DONE]\n\n").split(b"\n\n"):
        if event:
            assert event.startswith(b"data: {")
            assert b"\n" not in event
            assert check_answer(event[6:])["object"] == "chat.completion.chunk"


def check_calls(out: bytes) -> None:
    """Calls are counted without gaps; each has its id in its first fragment, and in no other, and no other's."""
    begun: dict[int, list[str]] = {}
    for event in out.split(b"\n\n"):
        for choice in json.loads(event[6:])["choices"] if event.startswith(b"data: {") else ():
            ids = begun.setdefault(choice["index"], [])
            for call in choice["delta"].get("tool_calls") or ():
                assert call["index"] <= len(ids)
                if call["index"] == len(ids):
                    assert call["id"] and call["id"] not in ids
                    ids.append(call["id"])
                else:
                    assert not call.get("id")


def relay_stream(data: bytes, chance: Random) -> None:
    one, other = ChatPassThrough(WANTED), ChatPassThrough(WANTED)
    out = one.feed(data) + one.end()
    assert out == b"".join([other.feed(piece) for piece in cut(data, chance)]) + other.end()
    if one.tally.fault is None:
        check_stream(out + one.last(Usage(input=1)))
        check_calls(out)
        assert one.last(Usage(input=1)) == other.last(Usage(input=1))


def relay_whole(data: bytes, chance: Random) -> None:
    lane = ChatPassThrough(WANTED)
    lane.whole(data)
    if lane.tally.fault is None:
        found = check_answer(lane.last(Usage(input=1)))
        assert found["object"] == "chat.completion"
        assert found["usage"]["prompt_tokens"] == (lane.tally.usage or Usage(input=1)).prompt_total


def sse(data: bytes, chance: Random) -> None:
    limit = chance.choice((8, 64, 1 << 20))

    def read(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes]], bool]:
        reader = SseReader(limit)
        found: list[tuple[bytes, bytes]] = []
        try:
            for piece in pieces:
                found += reader.feed(piece)
            found += reader.end()
        except SseError:
            return found, True
        return found, False

    assert read([data]) == read(cut(data, chance))


def read_usage(data: bytes, chance: Random) -> None:
    try:
        found, passed = read_and_pass(data)
    except AbsurdUsage:
        return
    assert found is None or all(getattr(found, name) >= 0 for name in BUCKETS)
    if found is not None:
        shown = json.loads(bytes(passed))
        assert shown["prompt_tokens"] == found.prompt_total
        assert shown["completion_tokens"] == found.completion_total
        assert shown["total_tokens"] == found.total


def upstream_error(data: bytes, chance: Random) -> None:
    fault = CHAT.upstream_error(500, data)
    assert fault.status == 500
    assert isinstance(fault.message, str)


GEMINI, EMBEDDINGS = Gemini(), DIALECTS["embeddings"]


def open_gemini(data: bytes, chance: Random) -> None:
    try:
        envelope = GEMINI.open(data, Place(model="m", stream=False))
        GEMINI.forward(envelope, chance.choice(SHAPES))
        request = GEMINI.read_request(envelope)
    except GatewayError as error:
        a_sayable(error)
        return
    to_all(request, chance)


def chat_to_gemini(data: bytes, chance: Random) -> None:
    try:
        written = GEMINI.write_request(CHAT.read_request(CHAT.open(data)), chance.choice(SHAPES)).body
    except GatewayError as error:
        a_sayable(error)
        return
    assert GEMINI.open(written, Place(model="up")).size > 0


def read_gemini(data: bytes, chance: Random) -> None:
    one, other = GEMINI.reader({}), GEMINI.reader({})
    events = one.feed(data) + one.end()
    check_events(events)
    assert events == [event for piece in cut(data, chance) for event in other.feed(piece)] + other.end()
    assert [getattr(one.tally, name) for name in one.tally.__struct_fields__] == [
        getattr(other.tally, name) for name in other.tally.__struct_fields__
    ]
    for dialect in (GEMINI, CHAT):
        writer = dialect.writer(WANTED, ASKED)
        for event in (writer.feed(events) + writer.last(Usage())).split(b"\n\n"):
            assert not event or event == b"data: [DONE]" or json.loads(event.removeprefix(b"data: "))


def read_gemini_whole(data: bytes, chance: Random) -> None:
    reader = GEMINI.reader({})
    events = reader.whole(data)
    check_events(events)
    assert reader.tally.fault is not None or reader.tally.finished
    assert json.loads(GEMINI.writer(WANTED, ASKED).whole(events, Usage()))["modelVersion"] == "house/model"


def relay_gemini(data: bytes, chance: Random) -> None:
    one, other = GEMINI.passthrough(WANTED), GEMINI.passthrough(WANTED)
    out = one.feed(data) + one.end()
    assert out == b"".join([other.feed(piece) for piece in cut(data, chance)]) + other.end()
    if one.tally.fault is None:
        out += one.last(Usage(input=1))
        for event in out.split(b"\n\n"):
            if event:  # what passes as it came may hold numbers that no reader here takes
                said = json.loads(event.removeprefix(b"data: "), parse_int=str)
                assert said["responseId"] == "chatcmpl-ours"


def open_embeddings(data: bytes, chance: Random) -> None:
    try:
        envelope = EMBEDDINGS.open(data)
        sent = json.loads(EMBEDDINGS.forward(envelope, chance.choice(SHAPES)).body, parse_int=str)
    except GatewayError as error:
        a_sayable(error)
        return
    assert sent["model"] == "up" and envelope.size > 0


def relay_embeddings(data: bytes, chance: Random) -> None:
    lane = EMBEDDINGS.passthrough(WANTED)
    lane.whole(data)
    if lane.tally.fault is None:
        assert json.loads(lane.last(Usage(input=1)).decode(errors="replace"), parse_int=str)["model"] == "house/model"


class Target(NamedTuple):
    run: Callable[[bytes, Random], None]
    seeds: tuple[bytes, ...]


_REQUESTS = tuple(row.wire for row in golden.requests())
_STREAMS = tuple(row.wire for row in golden.streams())
_ANSWERS = tuple(row.wire for row in golden.answers())
_USAGES = tuple(json.dumps(json.loads(answer)["usage"]).encode() for answer in _ANSWERS if b'"usage":{' in answer)
_GEMINI = tuple(row.wire for row in gemini_golden.requests())
_GEMINI_STREAMS = tuple(row.wire for row in gemini_golden.streams())
_GEMINI_ANSWERS = tuple(row.wire for row in gemini_golden.answers())
_EMBEDS = (
    b'{"model":"m","input":["a","b"],"dimensions":3,"encoding_format":"base64","user":"u"}',
    b'{"model":"m","input":[[1,2],[3]]}',
    b'{"model":"m","input":"x"}',
)
_EMBEDDED = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.2]}],"model":"up",'
    b'"usage":{"prompt_tokens":3,"total_tokens":3}}',
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAA"}],"model":"up"}',
)
_SEALED = (
    *_STREAMS,
    b'data: {"id":"x","choices":[{"index":0,"delta":{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text",'
    b'"text":"hm","signature":"s","index":0},{"type":"reasoning.encrypted","data":"d","index":1}]}}]}\n\n'
    b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
)
_ERRORS = (b'{"error":{"message":"m","type":"t","code":null}}', b'{"detail":"d"}', b'[{"error":"x"}]', b"<html>")

TARGETS: dict[str, Target] = {
    "strict_json": Target(strict_json, _REQUESTS),
    "open": Target(open_chat, _REQUESTS),
    "reader.feed": Target(read_stream, _SEALED),
    "reader.whole": Target(read_whole, _ANSWERS),
    "passthrough.feed": Target(relay_stream, _SEALED),
    "passthrough.whole": Target(relay_whole, _ANSWERS),
    "sse": Target(sse, _STREAMS),
    "read_usage": Target(read_usage, _USAGES),
    "upstream_error": Target(upstream_error, _ERRORS),
    "gemini.open": Target(open_gemini, _GEMINI),
    "gemini.write": Target(chat_to_gemini, _REQUESTS),
    "gemini.reader.feed": Target(read_gemini, _GEMINI_STREAMS),
    "gemini.reader.whole": Target(read_gemini_whole, _GEMINI_ANSWERS),
    "gemini.passthrough.feed": Target(relay_gemini, _GEMINI_STREAMS),
    "embeddings.open": Target(open_embeddings, _EMBEDS),
    "embeddings.relay": Target(relay_embeddings, _EMBEDDED),
    "completions.open": Target(completions.open_request, completions.REQUESTS),
    "completions.feed": Target(completions.read_stream, completions.STREAMS),
    "completions.whole": Target(completions.read_whole, completions.ANSWERS),
    "completions.relay.feed": Target(completions.relay_stream, completions.STREAMS),
    "completions.relay.whole": Target(completions.relay_whole, completions.ANSWERS),
    "messages.open": Target(messages.open_request, messages.REQUESTS),
    "messages.feed": Target(messages.read_stream, messages.STREAMS),
    "messages.whole": Target(messages.read_whole, messages.ANSWERS),
    "messages.relay.feed": Target(messages.relay_stream, messages.STREAMS),
    "messages.relay.whole": Target(messages.relay_whole, messages.ANSWERS),
    "messages.upstream_error": Target(messages.upstream_error, messages.ERRORS),
    "responses.open": Target(responses.open_request, responses.REQUESTS),
    "responses.feed": Target(responses.read_stream, responses.STREAMS),
    "responses.whole": Target(responses.read_whole, responses.ANSWERS),
    "responses.relay.feed": Target(responses.relay_stream, responses.STREAMS),
    "responses.relay.whole": Target(responses.relay_whole, responses.ANSWERS),
    "cross.chat": Target(cross.chat, _SEALED),
    "cross.responses": Target(cross.responses, responses.STREAMS),
    "cross.messages": Target(cross.messages, messages.STREAMS),
    "cross.gemini": Target(cross.gemini, _GEMINI_STREAMS),
    "errors": Target(cross.errors, (*_ERRORS, *messages.ERRORS)),
    "packed": Target(cross.packed, cross.PACKED),
}

# target: inputs that once broke it
CORPUS: dict[str, list[bytes]] = {
    "responses.whole": [
        b'{"id":"r","model":"m","status":"completed","output":[{"type":"message","content":[{"type":[],"text":"late"}]}]}'
    ],
    "passthrough.whole": [
        b'{"choices":[{"message":{"content":"x"}}],"usage":{"total_tokens":9,"completion_tokens":4}}'
    ],
    "gemini.open": [
        b'{"system_instruction":{"parts":{"text":"Be brief."}},"contents":[{"parts":[{"text":"Hi"}]}],'
        b'"Be brief.":{"a":1}}',
        b'{"contents":[{"role":"user","":[{"text":"Hi"}]}]}',
        b'{"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig.x":1,"a.b":2}',
        b'{"contents":[{"parts":[{"inlineData":{"mimeType":"text/plain","data":"SG\xef\xbb\xbfk="}}]}]}',
    ],
    "gemini.passthrough.feed": [b'data: {"candidates":[{"role":' + b"9" * 5000 + b"}]}\n\n"],
    "gemini.write": [
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"id":"f"}}]}]}',
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"custom","custom":'
        b'{"name":"p","description":128}}]}',
    ],
    "open": [
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"tool_choice":{"type":"function","function":'
        b'{"name":"look"}}}'
    ],
    "responses.open": [b'{"model":"m","input":"x","tools":[{"type":{"index":1}}]}'],
    "responses.relay.feed": [
        b'data: {"type":"response.odd","sequen\x99":7}\n\n',
        b'data: {"type":"response.\\rodd","sequence_number":7}\n\n',
        b'data: {"type":"response.fu\\nction_call_arguments.delta","delta":"1"}\n\n',
    ],
    "read_usage": [b'{"completion_tokens":4,"total_tokens":13}'],
}
