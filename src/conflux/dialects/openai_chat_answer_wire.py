"""The chat completions wire: the shapes of an answer.

Law: fields that are not OpenAI's own (or reasoning, as DeepSeek and OpenRouter say it) do not pass, at any level: they
would name the upstream. Indices are bounded here, so nobody who counts by them can be made to grow.
"""

from collections.abc import Iterator
from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, defstruct

from conflux.dialects import strict_json
from conflux.dialects.citations import beyond, named, strange
from conflux.dialects.sse import write_data
from conflux.neutral.events import Fault

DONE = b"[DONE]"
DONE_EVENT = write_data(DONE)


ChoiceIndex = Annotated[int, Meta(ge=0, lt=128)]  # as many as `n` may ask for
CallIndex = Annotated[int, Meta(ge=0, lt=1024)]
_LATEST = 100_000_000_000
_UNNAMED = (named(None),)
Seconds = Annotated[int, Meta(ge=0, lt=_LATEST)]


class FunctionDelta(Struct, forbid_unknown_fields=True):
    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class ToolCallDelta(Struct, forbid_unknown_fields=True):
    index: CallIndex | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None
    custom: FunctionDelta | None = None


class Delta(Struct, forbid_unknown_fields=True):
    """A chunk's delta or an answer's message. An unknown field sends the choice down the sifting path."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: Any = None
    tool_calls: list[ToolCallDelta] | None = None
    function_call: FunctionDelta | None = None
    annotations: Any = None
    audio: Any = None
    images: Any = None  # OpenRouter's word for what the model drew

    @property
    def drawn(self) -> list[str]:
        """The addresses of its images."""
        found = self.images if isinstance(self.images, list) else []
        inner = [one.get("image_url") for one in found if isinstance(one, dict)]
        return [one["url"] for one in inner if isinstance(one, dict) and isinstance(one.get("url"), str)]


class Choice(Struct, forbid_unknown_fields=True):
    index: ChoiceIndex = -1  # not said: its place
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class _Text(Struct, forbid_unknown_fields=True):
    """A delta that is text and no more, as most are."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    role: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class Piece(Struct, forbid_unknown_fields=True):
    """The choice of a chunk that says no more than such a delta."""

    delta: _Text
    index: ChoiceIndex
    finish_reason: None = None
    logprobs: None = None


class Said(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The same where a role stands in each."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class DressedPiece(Struct, forbid_unknown_fields=True):
    """A piece as OpenRouter, vLLM and SGLang say it: with words of their own, which say nothing yet."""

    delta: Said
    index: ChoiceIndex
    finish_reason: None = None
    logprobs: None = None
    native_finish_reason: UnsetType | None = UNSET
    matched_stop: UnsetType | None = UNSET
    stop_reason: UnsetType | None = UNSET
    token_ids: UnsetType | None = UNSET

    @property
    def undressed(self) -> bool:
        return self.native_finish_reason is self.matched_stop is self.stop_reason is self.token_ids is UNSET


class _DressedChoice(Choice, forbid_unknown_fields=True):
    """As well."""

    native_finish_reason: None = None
    matched_stop: None = None
    stop_reason: None = None
    token_ids: None = None


class TextChoice(Choice, forbid_unknown_fields=True):
    """The same of completions, where the text stands beside the index: read as what a chat would have said."""

    text: str | None = None

    def __post_init__(self) -> None:
        if self.text is not None:
            self.delta = Delta(content=self.text)


class Chunk(Struct, forbid_unknown_fields=True):
    """One event of a stream, or a plain answer: what is read of it. The rest is skipped and never passes."""

    id: str | None = None
    object: str | None = None
    created: Seconds | None = None
    model: str | None = None
    choices: Raw | UnsetType = UNSET
    usage: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET
    # What names the upstream, or says nothing.
    system_fingerprint: Raw | UnsetType = UNSET
    provider: Raw | UnsetType = UNSET
    service_tier: Raw | UnsetType = UNSET
    obfuscation: Raw | UnsetType = UNSET
    strange: tuple[str, ...] = msgspec.field(name=" ", default=())  # the names of what else stands in it


class _AnyChunk(Struct):
    """The same where an upstream has its own idea of what an id or a time is."""

    id: Any = None
    object: Any = None
    created: Any = None
    model: Any = None
    choices: Raw | UnsetType = UNSET
    usage: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


def _loose(struct: type[Struct], **inner: Any) -> Any:
    """The same fields, unread, and any others left out: what is read is written again without them."""
    fields = [(name, inner.get(name, Raw) | UnsetType, UNSET) for name in struct.__struct_fields__]
    return defstruct(struct.__name__, fields)


_function = _loose(FunctionDelta) | None
_call = _loose(ToolCallDelta, function=_function, custom=_function)
_delta = _loose(Delta, tool_calls=GenericAlias(list, (_call,)) | None, function_call=_function) | None
_choice = _loose(Choice, delta=_delta, message=_delta)

# The one choice of a chunk, where it is a piece of text and no more. Raises what is in BROKEN for any other.
read_piece = msgspec.json.Decoder(tuple[Piece]).decode
read_dressed_piece = msgspec.json.Decoder(tuple[DressedPiece]).decode

_chunk = msgspec.json.Decoder(Chunk).decode
_any_chunk = msgspec.json.Decoder(_AnyChunk).decode
_choices = msgspec.json.Decoder(list[Choice] | None).decode
_dressed_choices: Any = msgspec.json.Decoder(list[_DressedChoice] | None).decode
_text_choices = msgspec.json.Decoder(list[TextChoice] | None).decode
_any_text_choices = msgspec.json.Decoder(
    GenericAlias(list, (_loose(TextChoice, delta=_delta, message=_delta),)) | None
).decode
_any_choices = msgspec.json.Decoder(GenericAlias(list, (_choice,)) | None).decode


def read_chunk(payload: bytes) -> Chunk:
    """Raises what is in BROKEN."""
    try:
        return _chunk(payload)
    except msgspec.ValidationError:
        loose = _any_chunk(payload)
        when = loose.created
        return Chunk(
            id=loose.id if isinstance(loose.id, str) else None,
            object=loose.object if isinstance(loose.object, str) else None,
            created=int(when) if isinstance(when, int | float) and 0 <= when < _LATEST else None,
            model=loose.model if isinstance(loose.model, str) else None,
            choices=loose.choices,
            usage=loose.usage,
            error=loose.error,
            strange=_unnamed(strange(payload, Chunk.__struct_fields__)),
        )


def unread(raw: Raw) -> tuple[str, ...]:
    """What stands in choices that were sifted and does not pass."""
    try:
        return _unnamed(_strangers(msgspec.json.decode(raw) or ()))
    except msgspec.DecodeError:  # where nobody reads, an upstream may write what cannot be
        return _UNNAMED


def _unnamed(strangers: Iterator[str]) -> tuple[str, ...]:
    """By their own names they would name the upstream."""
    return _UNNAMED if next(strangers, None) is not None else ()


def _strangers(choices: Any) -> Iterator[str]:
    for choice in choices:
        yield from beyond(choice, TextChoice.__struct_fields__)
        said = choice.get("delta") or choice.get("message")
        if isinstance(said, dict):
            yield from beyond(said, Delta.__struct_fields__)
            for call in said.get("tool_calls") or ():
                yield from beyond(call, ToolCallDelta.__struct_fields__)


def read_choices(raw: Raw) -> tuple[Raw, list[Choice]]:
    """The choices as they may pass, and as records. Raises what is in BROKEN."""
    try:
        return raw, _choices(raw) or []
    except msgspec.ValidationError:
        sifted = Raw(strict_json.encode(_any_choices(raw)))
        return sifted, _choices(sifted) or []


def hear_choices(raw: Raw) -> tuple[Raw, list[Choice]]:
    """The same for whoever lets nothing pass: what upstreams wear that says nothing is not sifted."""
    try:
        return raw, _dressed_choices(raw) or []
    except msgspec.ValidationError:
        return read_choices(raw)


def read_text_choices(raw: Raw) -> tuple[Raw, list[Choice]]:
    """The same for completions."""
    try:
        return raw, list(_text_choices(raw) or ())
    except msgspec.ValidationError:
        sifted = Raw(strict_json.encode(_any_text_choices(raw)))
        return sifted, list(_text_choices(sifted) or ())


def fault_of(value: Any) -> Fault:
    """An error as upstreams put it into an answer: an object, or plain text."""
    if not isinstance(value, dict):
        return Fault(message=str(value))
    inner = value.get("error")
    if isinstance(inner, dict):
        value = inner
    code = value.get("code") or value.get("type")
    message = value.get("message") or value.get("detail") or (inner if isinstance(inner, str) else "")
    return Fault(message=str(message), code=str(code) if code else None)
