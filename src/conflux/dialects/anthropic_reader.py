"""Answers of the messages dialect, read as events.

Law: blocks come one after the other here, so they leave as they came; what continues a block that is not open is a
fault. A call without arguments is a call with none. A block that only this dialect understands leaves whole.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from conflux.dialects import anthropic_answer_wire as wire
from conflux.dialects import citations
from conflux.dialects.anthropic_answer_wire import Block, Delta, Event
from conflux.dialects.anthropic_intake import Intake
from conflux.dialects.anthropic_wire import NAME
from conflux.dialects.base import Tally
from conflux.dialects.foreign_json import BROKEN
from conflux.neutral import events
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Finished,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)

_STOPS = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "stop_sequence": Stop.STOP_SEQUENCE,
    "tool_use": Stop.TOOL_CALLS,
    "pause_turn": Stop.PAUSE,
    "compaction": Stop.PAUSE,
    "refusal": Stop.REFUSAL,
}
# What is read of a block, or stands for nothing in it.
_READ = frozenset(wire.Block.__struct_fields__) | {"citations", "caller"}
_SAID = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_EMPTY = (b"{}", b"null")
_NOTHING = (b"{}", b"[]", b"null", b'""')


class MessagesReader:
    """An Anthropic upstream's answer, as events."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._intake = Intake()
        self.tally: Tally = self._intake.tally
        self._names = names
        self._block = ""  # the kind of the block that is open
        self._place = -1
        self._aside: dict[str, Any] = {}  # of a block that leaves whole
        self._json: list[str] = []  # what came of its input
        self._cited: list[Any] = []  # what the open text cites
        self._chars = 0  # of all text
        self._from = 0  # how many of them came before the open block
        self._some = False  # the open block has said something, the open call has arguments
        self._began = False
        self._called = False
        self._stop: str | None = None
        self._sequence: str | None = None
        self._ended = False

    def feed(self, data: bytes) -> list[events.Event]:
        return self._events(self._intake.cut(data))

    def end(self) -> list[events.Event]:
        found = self._events(self._intake.rest())
        self._intake.closed()
        return found + self._close()

    def whole(self, body: bytes) -> list[events.Event]:
        taken = self._intake.take_whole(body)
        if taken is None:
            return self._close()
        message, blocks = taken
        found: list[events.Event] = []
        self._begin(found)
        try:
            for place, raw in enumerate(blocks):
                self._open(place, raw, found, whole=True)
                self._end_block(found)
        except BROKEN as error:
            self._intake.fail(f"malformed answer: {error}")
        self._stop, self._sequence = message.stop_reason, message.stop_sequence
        for name in ("container", "context_management", "stop_details"):
            self._leave(name, getattr(message, name))
        return found + self._close()

    def _events(self, payloads: list[tuple[bytes, bytes]]) -> list[events.Event]:
        found: list[events.Event] = []
        for name, payload in payloads:
            taken = self._intake.take(name, payload)
            if taken is not None:
                try:
                    self._read(taken[0], found)
                except BROKEN as error:
                    self._intake.fail(f"malformed answer: {error}")
        if self.tally.done or self.tally.fault is not None:
            found += self._close()
        return found

    def _read(self, event: Event, found: list[events.Event]) -> None:
        match event.type:
            case "content_block_delta":
                if event.delta is not None:
                    self._continue(event.index, event.delta, found)
            case "message_start":
                self._begin(found)
            case "content_block_start":
                self._end_block(found)
                raw = event.content_block
                self._open(event.index, raw if raw is not UNSET else Raw(b"{}"), found, whole=False)
            case "content_block_stop":
                if event.index == self._place:
                    self._end_block(found)
            case "message_delta" if event.delta is not None:
                self._leave("container", event.delta.container)
                self._leave("stop_details", event.delta.stop_details)
                self._leave("context_management", event.context_management)
                self._stop = event.delta.stop_reason or self._stop
                self._sequence = event.delta.stop_sequence or self._sequence

    def _leave(self, name: str, said: Raw | UnsetType) -> None:
        """What no event carries."""
        if said is not UNSET and bytes(said).strip() not in _NOTHING:
            citations.note(self.tally.lost, name)

    def _begin(self, found: list[events.Event]) -> None:
        if not self._began:
            self._began = True
            tally = self.tally
            found.append(Began(id=tally.upstream_id or "", model=tally.model or "", usage=tally.prompt))

    def _open(self, place: int, raw: Raw, found: list[events.Event], *, whole: bool) -> None:
        self._begin(found)
        block: Block = wire.read_block(raw)
        self._block, self._place, self._some, self._from = block.type, place, False, self._chars
        if block.type in _SAID:
            citations.note(self.tally.lost, *citations.strange(raw, _READ))
        match block.type:
            case "text":
                self._say(block.text, TextDelta(text=block.text or ""), found)
                if whole:
                    self._cite(raw)
            case "thinking":
                self._say(block.thinking, ThinkingDelta(text=block.thinking or ""), found)
                self._say(block.signature, ThinkingDelta(signature=block.signature, issuer=NAME), found)
            case "redacted_thinking":
                self._some = True
                found.append(ThinkingDelta(redacted=block.data or "", issuer=NAME))
            case "tool_use":
                self._called = True
                name = block.name or ""
                found.append(ToolBegan(call_id=block.id or "", name=self._names.get(name, name)))
                if block.input is not UNSET and bytes(block.input).strip() not in _EMPTY:
                    self._some = True
                    found.append(ToolDelta(arguments=bytes(block.input).decode()))
            case _:
                self._aside = msgspec.json.decode(raw)
                self._json = []

    def _say(self, said: str | None, event: TextDelta | ThinkingDelta, found: list[events.Event]) -> None:
        if said:
            self._some = True
            found.append(event)
            if type(event) is TextDelta:
                self._chars += len(said)

    def _cite(self, raw: Raw) -> None:
        cited = msgspec.json.decode(raw).get("citations")
        self._cited = [one for one in cited if isinstance(one, dict)] if isinstance(cited, list) else []

    def _tell_cited(self, found: list[events.Event]) -> None:
        """What a text cites is known to be said of all of it once it is all said."""
        for value in self._cited:
            link = citations.read_messages(value, self._from, self._chars)
            found.append(Aside(dialect=NAME, kind="citation", value=value, link=link))
        self._some = self._some or bool(self._cited)
        self._cited = []

    def _continue(self, place: int, delta: Delta, found: list[events.Event]) -> None:
        if place != self._place:  # open it may be, but here blocks come one after the other
            self._intake.fail("the answer continues a block that is not open")
            return
        match delta.type:
            case "text_delta":
                self._say(delta.text, TextDelta(text=delta.text or ""), found)
            case "input_json_delta":
                if not delta.partial_json:
                    return
                if self._block == "tool_use":
                    self._some = True
                    found.append(ToolDelta(arguments=delta.partial_json))
                else:
                    self._json.append(delta.partial_json)
            case "thinking_delta":
                self._say(delta.thinking, ThinkingDelta(text=delta.thinking or ""), found)
            case "signature_delta":
                self._say(delta.signature, ThinkingDelta(signature=delta.signature, issuer=NAME), found)
            case "citations_delta" if delta.citation is not UNSET:
                cited = msgspec.json.decode(delta.citation)
                if isinstance(cited, dict):
                    self._cited.append(cited)
            case "citations_delta":
                return
            case _:
                citations.note(self.tally.lost, citations.named(delta.type))

    def _end_block(self, found: list[events.Event]) -> None:
        block, self._block, self._place = self._block, "", -1
        match block:
            case "":
                return
            case "text" | "thinking" | "redacted_thinking":
                self._tell_cited(found)
                if not self._some:
                    return  # nothing was said in it
            case "tool_use":
                if not self._some:
                    found.append(ToolDelta(arguments="{}"))
            case _:
                try:
                    if self._json:
                        self._aside["input"] = msgspec.json.decode("".join(self._json))
                except BROKEN as error:
                    self._intake.fail(f"malformed answer: {error}")
                    return
                found.append(Aside(dialect=NAME, kind=block, value=self._aside))
                return
        found.append(BlockEnded())

    def _close(self) -> list[events.Event]:
        """End what is open, then say how it ended and what it used."""
        if self._ended:
            return []
        self._ended = True
        tally = self.tally
        if tally.fault is not None:
            return [tally.fault]
        found: list[events.Event] = []
        self._end_block(found)
        if tally.finished:
            found.append(Finished(stop=self._ending(), sequence=self._sequence))
        if tally.usage is not None:
            found.append(Reported(usage=tally.usage))
        return found

    def _ending(self) -> Stop:
        """The reason, made true: calls are what an answer with calls ended for."""
        stop = _STOPS.get(self._stop or "", Stop.END)
        if stop in (Stop.END, Stop.TOOL_CALLS):
            return Stop.TOOL_CALLS if self._called else Stop.END
        return stop
