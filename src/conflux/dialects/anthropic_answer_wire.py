"""The messages wire: the shapes of an answer.

Law: read with one struct for all events, so that a chunk costs one decode. What is not Anthropic's own at the top of an
event does not pass: it would name the upstream. Inside of a block, what came passes: blocks are the protocol's future.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from conflux.neutral.events import Fault

# Errors by which the same request may be tried elsewhere, and what they are as a status.
STATUSES = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "invalid_request_error": 400,
    "api_error": 500,
    "timeout_error": 504,
}


class Delta(Struct):
    """Of a block, or of the message at its end."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Raw | UnsetType = UNSET
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Raw | UnsetType = UNSET
    container: Raw | UnsetType = UNSET


class Event(Struct, forbid_unknown_fields=True):
    type: str = ""
    index: int = -1
    delta: Delta | None = None
    content_block: Raw | UnsetType = UNSET
    message: Raw | UnsetType = UNSET
    usage: Raw | UnsetType = UNSET
    context_management: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET
    request_id: Any = None


class Block(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw | UnsetType = UNSET


class Message(Struct):
    """A plain answer, or what a stream says of itself at its start."""

    type: str = ""
    id: str | None = None
    model: str | None = None
    content: Raw | UnsetType = UNSET
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Raw | UnsetType = UNSET
    container: Raw | UnsetType = UNSET
    context_management: Raw | UnsetType = UNSET
    usage: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


_event = msgspec.json.Decoder(Event).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_EVENT_FIELDS = frozenset(Event.__struct_fields__) - {"request_id"}

read_block = msgspec.json.Decoder(Block).decode
read_message = msgspec.json.Decoder(Message).decode
read_blocks = msgspec.json.Decoder(list[Raw]).decode


def read_event(payload: bytes) -> tuple[Event, bytes]:
    """The event, and its bytes as they may pass. Raises what is in BROKEN."""
    try:
        return _event(payload), payload
    except msgspec.ValidationError:
        sifted = {name: value for name, value in _fields(payload).items() if name in _EVENT_FIELDS}
        passed = _encode(sifted)
        return _event(passed), passed


def named(kind: str, payload: bytes) -> bytes:
    """The event with its name inside, where it stood on its own line only."""
    return _encode({**_fields(payload), "type": kind})


def changed(event: Event, payload: bytes) -> bytes:
    """The event with the block and the number that it was given."""
    said: dict[str, Any] = {"index": event.index}
    if event.content_block is not UNSET:
        said["content_block"] = event.content_block
    return _encode({**_fields(payload), **said})


def fault_of(value: Any) -> Fault:
    """An error as upstreams put it into an answer or give in its place."""
    if not isinstance(value, dict):
        return Fault(message=str(value))
    inner = value.get("error")
    if isinstance(inner, dict):
        value = inner
    kind = str(value.get("type") or value.get("code") or "")
    message = value.get("message") or value.get("detail") or (inner if isinstance(inner, str) else "")
    return Fault(message=str(message), code=kind or None, status=STATUSES.get(kind))
