"""A field of the house in an answer of any dialect: `flux`, for clients that asked for a panel.

Law: only bytes that this house wrote itself are touched, whole events, and nothing in them but the one field that is
added. A line break inside of JSON text is escaped, so what stands at the start of a line is an event's own.
"""

from conflux.dialects import (
    anthropic_wire,
    openai_chat_wire,
    openai_completions_wire,
    openai_responses_wire,
    strict_json,
)
from conflux.dialects.base import Wanted
from conflux.dialects.sse import write_data

_DATA = b"\ndata: {"
_DELTA = b"event: message_delta\ndata: {"
_RESPONSE = b'"response":{'
_CHUNKS = {openai_chat_wire.NAME: "chat.completion.chunk", openai_completions_wire.NAME: "text_completion"}


def in_body(body: bytes, field: bytes) -> bytes:
    """A plain answer."""
    return b'{"flux":' + field + b"," + body[1:]


def in_event(out: bytes, field: bytes) -> bytes:
    """The last event of these bytes."""
    return _put(out, _last(out), field)


def in_last(dialect: str, out: bytes, field: bytes, wanted: Wanted) -> bytes:
    """The end of a stream, where its client looks for what the answer used."""
    if dialect == anthropic_wire.NAME:
        return _put(out, out.rfind(_DELTA) + len(_DELTA), field)
    if dialect == openai_responses_wire.NAME:
        return _put(out, out.index(_RESPONSE, _last(out)) + len(_RESPONSE), field)
    kind = _CHUNKS.get(dialect)
    if kind is not None and not wanted.include_usage:
        # Nothing but the protocol's last word is left: a chunk of its own, as one with usage would be.
        chunk = {
            "id": wanted.answer_id,
            "object": kind,
            "created": wanted.created,
            "model": wanted.model,
            "choices": [],
        }
        return in_event(write_data(strict_json.encode(chunk)), field) + out
    return in_event(out, field)


def _last(out: bytes) -> int:
    """Where the fields of the last event begin."""
    at = (b"\n" + out).rfind(_DATA)
    assert at >= 0, "what this house writes holds an event"
    return at + len(_DATA) - 1


def _put(out: bytes, at: int, field: bytes) -> bytes:
    return out[:at] + b'"flux":' + field + b"," + out[at:]
