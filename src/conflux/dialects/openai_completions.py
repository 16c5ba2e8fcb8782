"""The openai-completions dialect: POST /v1/completions, for models whose row says so.

Law: as in base.py. A request is forwarded where the provider speaks this dialect; over any other it is one message of a
user, and what only a completion has (several prompts, tokens, suffix, echo, best_of, logprobs) is refused by name. Its
answers are read as a chat's, whose text stands elsewhere. Thoughts have no place in one, and are left out.
"""

from collections.abc import Mapping
from typing import Any

from conflux.dialects import losses, openai_errors, strict_json
from conflux.dialects import openai_completions_wire as wire
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Wanted, Written
from conflux.dialects.openai_chat_answer_wire import read_text_choices
from conflux.dialects.openai_chat_intake import Intake
from conflux.dialects.openai_chat_quirks import suit
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.openai_completions_writer import CompletionsPassThrough, CompletionsWriter
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.events import Fault
from conflux.neutral.fields import Field, Words
from conflux.neutral.request import Envelope, Message, Need, Request, Role, Sampling, Text

_DECIDED = wire.KNOWN | wire.NOT_FORWARDED
_TOKEN_BYTES = 4  # what the estimate of tokens takes three of; a token given as a number is one
# What an answer would be another one without; anything else unknown is a hint.
_VITAL = ("prompt", "suffix", "echo", "best_of", "logprobs")
_SAMPLING = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias")


# What its clients call a field that is refused.
_WORDS: Words = {Field.MESSAGES: ("prompt",)}


class OpenAICompletions:
    """The dialect as the table of dialects holds it."""

    name = wire.NAME
    id_prefix = "cmpl-"
    id_header = b""
    routes: tuple[str, ...] = ("/v1/completions", "/completions")
    words: Words = _WORDS
    listens: tuple[bytes, ...] = ()

    def find(self, path: str) -> Place | None:
        return None

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        for name in body.keys() - _DECIDED:
            if name.casefold() in _DECIDED:  # read differently elsewhere, after our own decision about it
                raise invalid(f"{name}: this field is written {name.casefold()}", param=name)
        checked = wire.check(body)
        options = checked.stream_options
        needs = {Need.COMPLETIONS}
        if checked.logprobs is not None:
            needs.add(Need.LOGPROBS)
        if wire.answers(checked) > 1:
            needs.add(Need.MANY_CHOICES)
        return Envelope(
            dialect=wire.NAME,
            body=body,
            size=size,
            widest=_widest(checked),
            model=checked.model,
            task_type=checked.task_type,
            stream=bool(checked.stream),
            include_usage=bool(options is not None and options.include_usage),
            max_output=wire.USUAL_OUTPUT if checked.max_tokens is None else checked.max_tokens,
            choices=wire.answers(checked),
            needs=frozenset(needs),
            end_user=checked.user,
        )

    def read_request(self, envelope: Envelope) -> Request:
        body = envelope.body
        checked = wire.check(body)
        found = wire.prompts(checked)
        text = found[0] if len(found) == 1 and isinstance(found[0], str) else None
        extra = {name: value for name, value in body.items() if value is not None and name not in _CARRIED}
        for name, nothing in (("echo", False), ("best_of", 1), ("suffix", "")):
            if extra.get(name) == nothing:
                del extra[name]
        if text is None:
            extra["prompt"] = body["prompt"]
        message = Message(role=Role.USER, parts=(Text(text=text or ""),))
        return Request(
            dialect=wire.NAME,
            messages=(message,),
            max_output=envelope.max_output,
            sampling=_sampling(checked),
            stream=envelope.stream,
            include_usage=envelope.include_usage,
            user=checked.user,
            extra=extra,
            unread=losses.unread(body, checked),
            vital=tuple(name for name in _VITAL if name in extra),
        )

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = {name: value for name, value in envelope.body.items() if name not in wire.NOT_FORWARDED}
        dropped = tuple(sorted((wire.NOT_FORWARDED - wire.OURS) & envelope.body.keys()))
        if not shape.stream and body.pop("stream_options", None) is not None:
            dropped += ("stream_options",)  # it means nothing here, and upstreams refuse it
        return Written(dropped=dropped + _fit(body, shape), body=strict_json.encode(body))

    def write_request(self, request: Request, shape: Shape) -> Written:
        if request.dialect != wire.NAME:
            raise GatewayError(
                Kind.UNSUPPORTED, "this model only completes text: use POST /v1/completions", param="model"
            )
        sampling, ((part,),) = request.sampling, [message.parts for message in request.messages]
        assert isinstance(part, Text), "the one prompt of this dialect is a text"
        body: dict[str, Any] = {"model": shape.model, "prompt": part.text}
        for name in _SAMPLING:
            value = getattr(sampling, name)
            if value is not None:
                body[name] = value
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.n > 1:
            body["n"] = sampling.n
        if request.user is not None:
            body["user"] = request.user
        body["max_tokens"] = request.max_output
        body.update((name, value) for name, value in request.extra.items() if name not in wire.NOT_FORWARDED)
        dropped = tuple(sorted(wire.NOT_FORWARDED & request.extra.keys())) + losses.parts(request, wire.NAME)
        return Written(dropped=dropped + _fit(body, shape), body=strict_json.encode(body))

    def path(self, shape: Shape) -> str:
        return "/completions"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        return ChatReader(names, Intake(read_text_choices))

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        return CompletionsWriter(wanted)

    def passthrough(self, wanted: Wanted) -> Lane:
        return CompletionsPassThrough(wanted, Intake(read_text_choices))

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return openai_errors.body(error, style)

    def error_event(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return openai_errors.read_upstream_error(status, body)


# What a neutral record holds, or this house decides: everything else is the dialect's own.
_CARRIED = frozenset(
    {"prompt", "model", "max_tokens", "n", "stop", "stream", "stream_options", "user", *_SAMPLING, *wire.OURS}
)


def _sampling(body: wire.Body) -> Sampling:
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    said = {name: getattr(body, name) for name in _SAMPLING}
    return Sampling(stop=stop, n=body.n or 1, **said)


def _fit(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Set what the target fixes. The names of what that leaves no room for."""
    body["model"] = shape.model
    if shape.max_output is not None:
        body["max_tokens"] = shape.max_output
    if shape.temperature is not None and body.get("temperature") is None:
        body["temperature"] = shape.temperature
    if shape.stream:
        body["stream"] = True
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return suit(body, shape)


def _widest(body: wire.Body) -> int:
    """Bytes of the longest single prompt: each must fit into the model by itself."""
    suffix = len((body.suffix or "").encode("utf-8", "replace"))
    return suffix + max(
        len(one.encode("utf-8", "replace")) if isinstance(one, str) else len(one) * _TOKEN_BYTES
        for one in wire.prompts(body)
    )
