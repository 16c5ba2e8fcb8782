"""The openai-chat dialect: POST /v1/chat/completions.

Law: as in base.py. Here a request is opened, and forwarded where both ends speak this dialect; openai_chat_read.py and
openai_chat_write.py translate it, the reader, the writer and the relay carry answers. What a request asks of this house
(routing of its own, a service tier with another price, another host) is never forwarded: it is left out and named.
"""

from collections.abc import Mapping
from typing import Any

from conflux.dialects import (
    call_ids,
    gemini_ids,
    openai_chat_read,
    openai_chat_thoughts,
    openai_chat_write,
    openai_errors,
    strict_json,
)
from conflux.dialects import openai_chat_wire as wire
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Wanted, Written
from conflux.dialects.openai_chat_foreign import ID_MOST
from conflux.dialects.openai_chat_quirks import suit
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.openai_chat_wire import NAME, NOT_FORWARDED
from conflux.dialects.openai_chat_writer import ChatWriter
from conflux.neutral.errors import GatewayError, invalid
from conflux.neutral.events import Fault
from conflux.neutral.fields import Field, Hint, Words
from conflux.neutral.request import BY_TOOLS, Envelope, Need, Request

# An image costs tokens by its size in pixels, not by its bytes; this is above what any known provider counts.
IMAGE_TOKENS_BOUND = 4096

_FORMATS = {"json_object": Need.JSON_MODE, "json_schema": Need.STRUCTURED_OUTPUTS}
_PART_NEEDS = {wire.ImagePart: Need.VISION, wire.AudioPart: Need.AUDIO, wire.FilePart: Need.FILES}
_NOTHING: frozenset[Need] = frozenset()
_DECIDED = wire.KNOWN | NOT_FORWARDED


_CODE = Place(needs=frozenset({Need.TOOLS}))  # only for models that use tools, whether or not any is offered


# What its clients call a field that is refused or left out.
_WORDS: Words = {
    Field.EFFORT: ("reasoning_effort", "reasoning"),
    Hint.LIMIT: ("max_completion_tokens", "max_tokens"),
    Field.TOOLS: ("tools", "functions"),
    Field.TOOL_CHOICE: ("tool_choice", "function_call"),
}


class OpenAIChat:
    """The dialect as the table of dialects holds it."""

    name = NAME
    id_prefix = "chatcmpl-"
    id_header = b""
    routes: tuple[str, ...] = ("/v1/chat/completions", "/chat/completions", "/chat", "/api/v1/agents/chat/completions")
    words: Words = _WORDS
    listens: tuple[bytes, ...] = ()

    def find(self, path: str) -> Place | None:
        return _CODE if path == "/code" else None

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        if not body.keys() <= _DECIDED:
            _check_spelling(body)
        checked = wire.check(body)
        needs, images, image_bytes = _needs(checked)
        if place.needs:
            needs |= place.needs
        options = checked.stream_options
        return Envelope(
            dialect=NAME,
            body=body,
            size=size - image_bytes + images * IMAGE_TOKENS_BOUND,
            model=checked.model,
            task_type=checked.task_type,
            stream=bool(checked.stream),
            include_usage=bool(options is not None and options.include_usage),
            max_output=checked.max_completion_tokens or checked.max_tokens,
            choices=checked.n or 1,
            needs=needs,
            images=images,
            fetches=0 if checked.web_search_options is None else BY_TOOLS,
            effort=checked.reasoning_effort,
            end_user=checked.user,
        )

    def read_request(self, envelope: Envelope) -> Request:
        return openai_chat_read.read_request(envelope)

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = dict(envelope.body)
        dropped: tuple[str, ...] = ()
        if not NOT_FORWARDED.isdisjoint(body):
            named = sorted(NOT_FORWARDED & body.keys())
            for name in named:
                del body[name]
            dropped = tuple(name for name in named if name not in wire.OURS)
        dropped += openai_chat_write.fit(body, shape) + _seals(body, shape)
        if shape.quirks.get("conflux") is not True:
            _plain_ids(body)
        if shape.stream:
            body["stream"] = True
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        elif body.pop("stream_options", None) is not None:
            dropped += ("stream_options",)  # it means nothing here, and upstreams refuse it
        dropped += suit(body, shape)
        return Written(body=strict_json.encode(body), dropped=dropped)

    def write_request(self, request: Request, shape: Shape) -> Written:
        return openai_chat_write.write_request(request, shape)

    def path(self, shape: Shape) -> str:
        return "/chat/completions"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        return ChatReader(names)

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        return ChatWriter(wanted, by_function=openai_chat_read.FUNCTIONS in request.echo)

    def passthrough(self, wanted: Wanted) -> Lane:
        return ChatPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return openai_errors.body(error, style)

    def error_event(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return openai_errors.read_upstream_error(status, body)


def _seals(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Sealed thoughts go to upstreams that know them, and only their own."""
    for message in body["messages"]:
        if openai_chat_thoughts.FIELD in message:
            break
    else:
        return ()
    knows = openai_chat_thoughts.known(shape)
    made = [openai_chat_thoughts.as_forwarded(message, knows) for message in body["messages"]]
    body["messages"] = [message for message, _ in made]
    return ("reasoning signature",) if any(lost for _, lost in made) else ()


def _plain_ids(body: dict[str, Any]) -> None:
    """What Gemini signed travels in the ids of its calls: no other upstream gets it, and most refuse so long an id."""
    for message in body["messages"]:
        if message["role"] == "tool" and gemini_ids.split(message["tool_call_id"])[1] is not None:
            break
    else:
        return
    body["messages"] = [_with_plain_ids(message) for message in body["messages"]]


def _with_plain_ids(message: dict[str, Any]) -> dict[str, Any]:
    found = dict(message)
    if message["role"] == "tool":
        found["tool_call_id"] = call_ids.short(message["tool_call_id"], ID_MOST)
    if message.get("tool_calls"):
        found["tool_calls"] = [{**call, "id": call_ids.short(call["id"], ID_MOST)} for call in message["tool_calls"]]
    return found


def _check_spelling(body: dict[str, Any]) -> None:
    """Readers that match names in any case would take "Model" for the model, after our own decision about it."""
    for name in body.keys() - _DECIDED:
        meant = name.casefold()
        if meant in _DECIDED:
            raise invalid(f"{name}: this field is written {meant}", param=name)


def _needs(checked: wire.ChatBody) -> tuple[frozenset[Need], int, int]:
    """What the whole conversation asks for; how many images, and the bytes they take in the body."""
    found: set[Need] = set()
    images = image_bytes = 0
    for message in checked.messages:
        content = message.content
        if type(content) is list:
            for part in content:
                need = _PART_NEEDS.get(type(part))
                if need is not None:
                    found.add(need)
                if isinstance(part, wire.ImagePart):
                    images += 1
                    image_bytes += len(part.image_url.url)
                elif isinstance(part, wire.FilePart) and part.file.file_id is not None:
                    found.add(Need.STORED_FILES)
        if type(message) is wire.Assistant and (message.tool_calls or message.function_call):
            found.add(Need.TOOLS)
    _asked(checked, found)
    return frozenset(found) if found else _NOTHING, images, image_bytes


def _asked(checked: wire.ChatBody, found: set[Need]) -> None:
    """The needs that parameters state, whatever the conversation holds."""
    if checked.tools or checked.functions:
        found.add(Need.TOOLS)
    if checked.response_format is not None and checked.response_format.type != "text":
        need = _FORMATS.get(checked.response_format.type)
        if need is None:
            raise invalid(
                f"response_format.type: {checked.response_format.type!r} is not one of text, {', '.join(_FORMATS)}",
                param="response_format.type",
            )
        found.add(need)
    if checked.logprobs or checked.top_logprobs:
        found.add(Need.LOGPROBS)
    if checked.n is not None and checked.n > 1:
        found.add(Need.MANY_CHOICES)
    if checked.web_search_options is not None:
        found.add(Need.WEB_SEARCH)
    if checked.reasoning_effort is not None and checked.reasoning_effort != "none":
        found.add(Need.REASONING)
