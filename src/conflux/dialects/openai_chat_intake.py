"""The way in for every answer of the openai-chat dialect, on either lane.

Law: what is noted here is all that is ever known of an answer: usage, size, ends, faults. Nothing foreign raises: an
answer that cannot be read is a Fault, and after a Fault, or the protocol's last word, nothing more is taken in.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from conflux.dialects.base import Tally
from conflux.dialects.citations import note
from conflux.dialects.event_intake import EventIntake
from conflux.dialects.foreign_json import BROKEN, NULL
from conflux.dialects.openai_chat_answer_wire import (
    DONE,
    Choice,
    Chunk,
    Delta,
    DressedPiece,
    FunctionDelta,
    Piece,
    fault_of,
    read_choices,
    read_chunk,
    read_piece,
    unread,
)
from conflux.dialects.openai_usage import AbsurdUsage, read_and_pass
from conflux.neutral.events import Fault

# Finish reasons by which upstreams say that they failed.
_FAILURES = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})

# The chunk; its choices as they may pass and as records; its usage as it may pass, None where it says none.
Taken = tuple[Chunk, Raw, list[Choice], bytes | Raw | None]
PieceDecoder = Callable[[bytes], tuple[Piece | DressedPiece, ...]]
ChoiceDecoder = Callable[[Raw], tuple[Raw, list[Choice]]]


class Intake(EventIntake):
    """Bytes in, chunks out, and the tally beside."""

    def __init__(self, choices: ChoiceDecoder = read_choices) -> None:
        self.tally = Tally()
        self._choices = choices
        self._seen: dict[int, bool] = {}  # choice: has it finished
        self.bare = False  # its choices come without a number

    def take(self, name: bytes, payload: bytes) -> Taken | None:
        """One event of a stream. None where it holds nothing that may pass."""
        tally = self.tally
        if tally.done or tally.fault is not None:
            return None
        if payload[:1] != b"{":
            payload = payload.strip()
            if payload == DONE:
                if not tally.content and not any(self._seen.values()):
                    self.fail("the answer is empty, or no event stream")
                tally.done = tally.finished = True
                self.closed()
            if not payload or payload == DONE:
                return None
        if b"\n" in payload:
            payload = payload.replace(b"\n", b" ")  # between tokens only; what passes must stay one line
        return self._read(name, payload)

    def take_piece(self, choices: bytes, read: PieceDecoder = read_piece) -> Piece | DressedPiece | None:
        """Notes a chunk's choices that are a piece of text of a choice under way. None: they have to be read whole."""
        try:
            found = read(choices)[0]
        except BROKEN:
            return None
        delta = found.delta
        text = delta.content
        thinking = delta.reasoning_content or delta.reasoning
        if thinking:
            if text:
                return None
            text = thinking
        if not text or found.index not in self._seen:
            return None
        tally = self.tally
        tally.output_bytes += len(text) if text.isascii() else len(text.encode("utf-8"))
        tally.content = True
        tally.events += 1
        return found

    def take_choices(self, raw: Raw) -> tuple[Raw, list[Choice]] | None:
        """Those of a chunk that is in all else like one before. None where it has to be read whole."""
        tally = self.tally
        if tally.done or tally.fault is not None:
            return None
        try:
            found = self._choices(raw)
        except BROKEN:
            return None
        if not found[1]:
            return None
        if found[0] is not raw:
            note(tally.lost, *unread(raw))
        self._note(found[1])
        if tally.fault is None:
            tally.events += 1
        return found

    def take_whole(self, body: bytes) -> Taken | None:
        """A plain answer. None where it is a fault."""
        if not body.strip():
            self.fail("the answer is empty")
            return None
        found = self._read(b"", body)
        if found is None or not found[2]:
            self.fail("the answer has no choices")
            return None
        self.tally.done = self.tally.finished = True
        return found

    def _read(self, name: bytes, payload: bytes) -> Taken | None:
        tally = self.tally
        try:
            chunk = read_chunk(payload)
            if chunk.error is not UNSET or name == b"error" or chunk.choices is UNSET:
                tally.fault = _fault_in(chunk, name, payload)
                if tally.fault is not None:
                    return None
            raw, choices = self._choices(chunk.choices) if chunk.choices is not UNSET else (NULL, [])
            if chunk.choices is not UNSET and raw is not chunk.choices:
                note(tally.lost, *unread(chunk.choices))
        except BROKEN as error:
            self.fail(f"malformed answer: {error}")
            return None
        if chunk.strange:
            note(tally.lost, *chunk.strange)
        if not tally.model:  # the first chunks of some are empty shells
            tally.model = chunk.model
        if not tally.upstream_id:
            tally.upstream_id = chunk.id
        if not choices and chunk.usage is UNSET:
            return None  # a keep-alive, a note of a filter: nothing a client could read
        self._note(choices)
        if tally.fault is not None:
            return None
        tally.events += 1
        if chunk.usage is UNSET:
            return chunk, raw, choices, None
        return chunk, raw, choices, self._note_usage(chunk.usage)

    def _note(self, choices: list[Choice]) -> None:
        tally, seen = self.tally, self._seen
        for place, choice in enumerate(choices):
            if choice.index < 0:
                choice.index, self.bare = place, True
            delta = choice.delta or choice.message
            if delta is not None:
                size = _written(delta)
                if size:
                    tally.output_bytes += size
                    tally.content = True
            reason, index = choice.finish_reason, choice.index
            if reason:  # some say "" for none
                if reason in _FAILURES:
                    self.fail(f"the answer ended with {reason!r}")
                seen[index] = True
                tally.finished = all(seen.values())
            elif index not in seen:
                seen[index] = tally.finished = False

    def unfinished(self) -> list[int]:
        """The choices that gave no reason, where the upstream said that this was all."""
        return [index for index, finished in sorted(self._seen.items()) if not finished]

    def _note_usage(self, raw: Raw) -> bytes | Raw | None:
        if raw == NULL:
            return raw
        try:
            found, passed = read_and_pass(raw)
        except AbsurdUsage:
            self.tally.usage, self.tally.usage_absurd = None, True
            return None
        if found is not None:
            self.tally.usage, self.tally.usage_absurd = found, False
        return passed


def _fault_in(chunk: Chunk, name: bytes, payload: bytes) -> Fault | None:
    """What an upstream says of its failure inside an answer, in one of several ways."""
    if chunk.error is not UNSET:
        value: Any = msgspec.json.decode(chunk.error)
        if value:
            return fault_of(value)
    if name == b"error" or chunk.object == "error":
        return fault_of(msgspec.json.decode(payload))
    return None


def _written(delta: Delta) -> int:
    """UTF-8 bytes the model wrote in a delta, for an estimate where nobody counts."""
    text = delta.content
    size = 0 if not text else len(text) if text.isascii() else len(text.encode("utf-8"))
    thinking = delta.reasoning_content or delta.reasoning
    if thinking:
        size += _size(thinking)
    if delta.refusal:
        size += _size(delta.refusal)
    if delta.images:
        size += len(delta.drawn)  # its address is not what the model wrote
    if delta.tool_calls:
        for call in delta.tool_calls:
            size += _called(call.function or call.custom)
    if delta.function_call is not None:
        size += _called(delta.function_call)
    return size


def _called(inner: FunctionDelta | None) -> int:
    if inner is None:
        return 0
    return _size(inner.name or "") + _size(inner.arguments or inner.input or "")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))
