"""The chat completions wire: the shapes of an answer, and what is noted of every one that passes.

Law: fields that are not OpenAI's own do not pass, at any level a client reads: they would name the upstream.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from conflux.dialects import strict_json
from conflux.dialects.base import Tally
from conflux.dialects.openai_usage import AbsurdUsage, read_usage
from conflux.dialects.sse import write_data
from conflux.neutral.events import Fault

DONE = b"[DONE]"
DONE_EVENT = write_data(DONE)
NULL = b"null"
PASSED = frozenset({"id", "object", "created", "model", "choices", "usage"})


class FunctionDelta(Struct):
    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class ToolCallDelta(Struct):
    index: int | None = None
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
    tool_calls: list[ToolCallDelta] | None = None
    function_call: FunctionDelta | None = None
    annotations: Any = None
    audio: Any = None


class Choice(Struct, forbid_unknown_fields=True):
    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None


chunk_decoder = msgspec.json.Decoder(dict[str, Raw])
_choices = msgspec.json.Decoder(list[Choice] | None)
_loose = msgspec.json.Decoder(list[dict[str, Any]] | None)
_DELTA_FIELDS = frozenset(Delta.__struct_fields__)
_CHOICE_FIELDS = frozenset(Choice.__struct_fields__)


def read_choices(raw: Raw) -> tuple[Raw, list[Choice]]:
    """The choices as they may pass, and as records."""
    try:
        return raw, _choices.decode(raw) or []
    except msgspec.ValidationError:
        return _sift(raw)


def _sift(raw: Raw) -> tuple[Raw, list[Choice]]:
    """The choices without the fields that are not OpenAI's own."""
    kept = []
    for choice in _loose.decode(raw) or ():
        found = {name: value for name, value in choice.items() if name in _CHOICE_FIELDS}
        for part in ("delta", "message"):
            if isinstance(found.get(part), dict):
                found[part] = {name: value for name, value in found[part].items() if name in _DELTA_FIELDS}
        kept.append(found)
    again = Raw(strict_json.encode(kept))
    return again, _choices.decode(again) or []


def _written(delta: Delta) -> int:
    """UTF-8 bytes the model wrote in a delta, for an estimate where nobody counts."""
    size = 0
    for text in (delta.content, delta.refusal, delta.reasoning_content or delta.reasoning):
        if text:
            size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    for call in delta.tool_calls or ():
        inner = call.function or call.custom
        if inner is not None:
            size += len(inner.name or "") + len(inner.arguments or inner.input or "")
    return size


def note(tally: Tally, choices: list[Choice]) -> None:
    for choice in choices:
        delta = choice.delta or choice.message
        if delta is not None:
            size = _written(delta)
            if size:
                tally.output_bytes += size
                tally.content = True
        if choice.finish_reason is not None:
            tally.finished = True


def note_usage(tally: Tally, raw: Raw) -> None:
    try:
        found = read_usage(raw)
    except AbsurdUsage:
        tally.usage, tally.usage_absurd = None, True
        return
    if found is not None:
        tally.usage, tally.usage_absurd = found, False


def fault_of(raw: Raw) -> Fault:
    value = msgspec.json.decode(raw)
    if isinstance(value, dict):
        code = value.get("code") or value.get("type")
        return Fault(message=str(value.get("message") or ""), code=str(code) if code else None)
    return Fault(message=str(value))


def is_null(raw: Raw) -> bool:
    return bytes(raw) == NULL


def text_of(raw: Raw | None) -> str | None:
    if raw is None:
        return None
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else None
