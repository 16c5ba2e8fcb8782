"""The way in for every answer of the messages dialect, on either lane.

Law: what is noted here is all that is ever known of an answer: usage, size, ends, faults. Nothing foreign raises: an
answer that cannot be read is a Fault, and after a Fault, or the protocol's last word, nothing more is taken in.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from conflux.dialects import anthropic_answer_wire as wire
from conflux.dialects import anthropic_usage
from conflux.dialects.anthropic_answer_wire import Block, Delta, Event, Message, fault_of
from conflux.dialects.anthropic_blocks import Blocks, Unplaced
from conflux.dialects.anthropic_usage import AbsurdUsage, WireUsage
from conflux.dialects.event_intake import EventIntake
from conflux.dialects.foreign_json import BROKEN, NULL

Taken = tuple[Event, bytes]


class Intake(EventIntake):
    """Bytes in, events out, and the tally beside."""

    __slots__ = ("blocks", "used")

    def __init__(self) -> None:
        super().__init__()
        self.blocks = Blocks()
        self.used: WireUsage | None = None  # the upstream's own words, as far as they go

    def take(self, name: bytes, payload: bytes) -> Taken | None:
        """One event of a stream. None where it holds nothing that may pass."""
        tally = self.tally
        if tally.done or tally.fault is not None:
            return None
        if b"\n" in payload:
            payload = payload.replace(b"\n", b" ")  # between tokens only; what passes must stay one line
        if payload[:1] != b"{" and (not payload.strip() or payload.strip() == b"[DONE]"):
            return None  # some end their streams with another protocol's last word too
        try:
            _check_text(payload)
            event, passed = wire.read_event(payload)
            if not event.type:
                event.type = name.decode("ascii", "replace")
                passed = wire.named(event.type, passed)
            noted = _NOTES.get(event.type)
            if noted is None:
                return None  # an event of nobody's protocol
            place, block = event.index, event.content_block
            if noted(self, event) is False:
                return None
            if event.index != place or event.content_block is not block:
                passed = wire.changed(event, passed)
        except Unplaced as error:
            self.fail(str(error))
            return None
        except BROKEN as error:
            self.fail(f"malformed answer: {error}")
            return None
        if tally.fault is not None:
            return None
        if event.type != "ping":
            tally.events += 1
        return event, passed

    def take_whole(self, body: bytes) -> tuple[Message, list[Raw]] | None:
        """A plain answer and its blocks. None where it is a fault."""
        tally = self.tally
        if not body.strip():
            self.fail("the answer is empty")
            return None
        try:
            message = wire.read_message(body)
            if message.error is not UNSET or message.type == "error":
                tally.fault = fault_of(msgspec.json.decode(body))
                return None
            if message.content is UNSET or message.content == NULL:
                self.fail("the answer has no content")
                return None
            _check_text(body)
            tally.model, tally.upstream_id = message.model, message.id
            blocks = []
            for raw in wire.read_blocks(message.content):
                block = wire.read_block(raw)
                blocks.append(self.blocks.filled(raw, block, message.id or ""))
                self._note_block(block, whole=True)
        except Unplaced as error:
            self.fail(str(error))
            return None
        except BROKEN as error:
            self.fail(f"malformed answer: {error}")
            return None
        tally.events += 1
        self._note_usage(message.usage, last=True)
        tally.done = tally.finished = True
        return message, blocks

    # -- what each event says

    def _start(self, event: Event) -> None:
        message = wire.read_message(event.message) if event.message is not UNSET else Message()
        tally = self.tally
        tally.model = tally.model or message.model
        tally.upstream_id = tally.upstream_id or message.id
        self._note_usage(message.usage, last=False)

    def _block(self, event: Event) -> None:
        raw = event.content_block if event.content_block is not UNSET else Raw(b'{"type":"text"}')
        block = wire.read_block(raw)
        event.content_block = self.blocks.filled(raw, block, self.tally.upstream_id or "")
        self.blocks.begin(event, block.type)
        self._note_block(block, whole=False)

    def _note_block(self, block: Block, *, whole: bool) -> None:
        size = _size(block.text) + _size(block.thinking) + _size(block.name)
        if whole and block.input is not UNSET:
            size += len(bytes(block.input))
        self._grew(size)
        if block.type not in ("text", "thinking"):
            self.tally.content = True

    def _delta(self, event: Event) -> bool:
        """Does it say anything?"""
        delta = event.delta
        if delta is None or not self.blocks.add(event, delta):
            return False
        self._grew(_written(delta))
        return True

    def _end(self, event: Event) -> bool:
        return self.blocks.end(event)

    def _grew(self, size: int) -> None:
        if size:
            self.tally.output_bytes += size
            self.tally.content = True

    def _ending(self, event: Event) -> None:
        self._note_usage(event.usage, last=True)
        if event.delta is not None and event.delta.stop_reason:
            self.tally.finished = True

    def _stop(self, event: Event) -> None:
        self.tally.done = self.tally.finished = True

    def _error(self, event: Event) -> None:
        value: Any = msgspec.json.decode(event.error) if event.error is not UNSET else ""
        self.tally.fault = fault_of(value)

    def _nothing(self, event: Event) -> None:
        """It says nothing that is counted."""

    def _note_usage(self, raw: Raw | UnsetType, *, last: bool) -> None:
        """The start of a stream knows what went in, and not what will come out."""
        tally = self.tally
        if raw is UNSET or tally.usage_absurd:
            return
        try:
            now = anthropic_usage.read(raw)
            if now is None:
                return
            self.used = anthropic_usage.merged(self.used, now)
            found = anthropic_usage.buckets(self.used)
        except AbsurdUsage:
            tally.usage, tally.usage_absurd, self.used = None, True, None
            return
        if last and self.used.output_tokens is not None and self.used.input_tokens is not None:
            tally.usage = found
        elif found.prompt_total:
            tally.prompt = found


_NOTES = {
    "message_start": Intake._start,
    "content_block_start": Intake._block,
    "content_block_delta": Intake._delta,
    "content_block_stop": Intake._end,
    "message_delta": Intake._ending,
    "message_stop": Intake._stop,
    "ping": Intake._nothing,
    "error": Intake._error,
}


def _check_text(data: bytes) -> None:
    """What is not read of an answer is not looked at either, and must be text all the same."""
    if not data.isascii():
        data.decode()


def _written(delta: Delta) -> int:
    """UTF-8 bytes the model wrote in a delta, for an estimate where nobody counts."""
    if delta.text is not None:
        return _size(delta.text)
    if delta.partial_json is not None:
        return _size(delta.partial_json)
    return _size(delta.thinking)


def _size(text: str | None) -> int:
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8"))
