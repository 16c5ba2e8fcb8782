"""Answers of the messages dialect carried through, the same dialect at both ends.

Law: the end of an answer is held back until the request is settled: `message_delta` and `message_stop` of a stream, the
whole body of a plain one. What names the upstream is replaced or left out; blocks pass as they came.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from conflux.dialects import strict_json
from conflux.dialects.anthropic_answer_wire import Delta, Event, Message, read_message
from conflux.dialects.anthropic_intake import Intake
from conflux.dialects.anthropic_usage import WireUsage
from conflux.dialects.anthropic_usage import write as write_usage
from conflux.dialects.anthropic_writer import PING, ending, failed, told
from conflux.dialects.base import Wanted
from conflux.dialects.event_intake import EventPassThrough
from conflux.dialects.foreign_json import BROKEN, NULL
from conflux.neutral.errors import GatewayError
from conflux.neutral.usage import NOTHING, Usage

# What is handed on byte by byte.
_AS_IT_CAME = frozenset({"content_block_delta", "content_block_start", "content_block_stop"})


class MessagesPassThrough(EventPassThrough[Intake]):
    """Anthropic on both ends."""

    __slots__ = ("_blocks", "_delta", "_managed", "_plain", "_started")

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted, Intake())
        self._started = False
        self._delta: Delta | None = None  # how the stream says it ended
        self._managed: Raw | UnsetType = UNSET
        self._plain: Message | None = None
        self._blocks: list[Raw] = []  # of a plain answer

    def _event(self, name: bytes, payload: bytes) -> bytes:
        taken = self._intake.take(name, payload)
        if taken is None:
            return b""
        event, passed = taken
        kind = event.type
        if kind in _AS_IT_CAME:
            before = b"" if self._started else self._start(Event())
            if kind == "content_block_start" and self._intake.blocks.ended is not None:
                before += _stop(self._intake.blocks.ended)
            return b"%bevent: %b\ndata: %b\n\n" % (before, kind.encode(), passed)
        if kind == "message_start":
            return self._start(event)
        if kind == "message_delta":
            self._keep(event)
        return PING if kind == "ping" else b""

    def _start(self, event: Event) -> bytes:
        if self._started:
            return b""
        self._started = True
        try:
            message = read_message(event.message) if event.message is not UNSET else Message()
        except BROKEN:  # the intake has read it already
            message = Message()
        usage = _shown(self._intake.used) if self._intake.used is not None else write_usage(NOTHING)
        found = {**self._head(message), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        return told("message_start", message=found)

    def _keep(self, event: Event) -> None:
        if event.delta is not None and (self._delta is None or event.delta.stop_reason):
            self._delta = event.delta
        if event.context_management is not UNSET:
            self._managed = event.context_management

    def _head(self, message: Message) -> dict[str, Any]:
        wanted = self._wanted
        found: dict[str, Any] = {
            "id": wanted.answer_id,
            "type": "message",
            "role": "assistant",
            "model": wanted.model or self.tally.model or "",
        }
        return found | _said(container=message.container)

    def whole(self, body: bytes) -> None:
        taken = self._intake.take_whole(body)
        if taken is not None:
            self._plain, self._blocks = taken

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        plain = self._plain
        counted = self._counted(usage)
        if plain is not None:
            return strict_json.encode({
                **self._head(plain),
                "content": self._blocks,
                "stop_reason": plain.stop_reason,
                "stop_sequence": plain.stop_sequence,
                **_said(stop_details=plain.stop_details, context_management=plain.context_management),
                "usage": counted,
            })  # fmt: skip
        delta = self._delta or Delta()
        said: dict[str, Any] = {"stop_reason": delta.stop_reason or "end_turn", "stop_sequence": delta.stop_sequence}
        said |= _said(stop_details=delta.stop_details, container=delta.container)
        # What the upstream left open is over too.
        ends = b"".join([_stop(place) for place, _ in self._intake.blocks.open.values()])
        return ends + ending(said, counted, **_said(context_management=self._managed))

    def keep_alive(self) -> bytes:
        return PING

    def fail(self, error: GatewayError) -> bytes:
        return failed(error, self._wanted)

    def _counted(self, usage: Usage) -> dict[str, Any]:
        """The upstream's own words where it counted, else what was estimated and billed."""
        used = self._intake.used
        return _shown(used) if used is not None and self.tally.usage is not None else write_usage(usage)


def _stop(place: int) -> bytes:
    return told("content_block_stop", index=place)


def _said(**fields: Raw | UnsetType) -> dict[str, Raw]:
    return {name: value for name, value in fields.items() if value is not UNSET and value != NULL}


def _shown(used: WireUsage) -> dict[str, Any]:
    """Anthropic's own fields, as far as they were said; those that every client reads are always there."""
    said: dict[str, Any] = msgspec.to_builtins(used)
    return write_usage(NOTHING) | said
