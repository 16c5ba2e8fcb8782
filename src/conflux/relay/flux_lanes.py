"""How a panel's answers are taken: a draft as text, the fuser's as any answer, a draft in the fuser's place.

Law: as lanes.py has it. The client's writer is one for the whole request, whoever answers in the end: it is told
nothing of an answer before there is content, so a fuser that dies before leaves no trace in it.
"""

from collections.abc import Callable

from msgspec import Raw
from msgspec.structs import replace

from conflux.dialects.base import AnswerReader, AnswerWriter, Tally
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import BlockEnded, Event, Finished, RefusalDelta, Reported, Stop, TextDelta
from conflux.neutral.usage import Usage
from conflux.relay.snapshot import LiveTarget


class DraftLane:
    """Nobody's answer: read to its end and kept."""

    __slots__ = ("_gathers", "_reader", "events", "tally")

    def __init__(self, reader: AnswerReader, gathers: bool) -> None:
        self._reader = reader
        self._gathers = gathers
        self.tally: Tally = reader.tally
        self.events: list[Event] = []

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, TextDelta | RefusalDelta) and one.index == 0)

    @property
    def whole_one(self) -> bool:
        """Did its model end it by itself?"""
        return any(isinstance(one, Finished) and one.stop in (Stop.END, Stop.STOP_SEQUENCE) for one in self.events)

    def whole(self, body: bytes) -> None:
        reader = self._reader
        self.events = reader.feed(body) + reader.end() if self._gathers else reader.whole(body)

    def feed(self, data: bytes) -> bytes:
        raise AssertionError("a draft is read whole")

    def end(self) -> bytes:
        raise AssertionError("a draft is read whole")

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        raise AssertionError("a draft is no client's answer")

    def keep_alive(self) -> bytes:
        raise AssertionError("a draft is no client's answer")

    def fail(self, error: GatewayError) -> bytes:
        raise AssertionError("a draft is no client's answer")


class FusedLane:
    """The fuser's answer to the client. What comes before its first content is held back."""

    __slots__ = ("_events", "_gathers", "_held", "_reader", "_writer", "tally")

    def __init__(self, writer: AnswerWriter, reader: AnswerReader, gathers: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._gathers = gathers
        self._held: list[Event] | None = []  # None: nothing is held any more
        self._events: list[Event] | None = None
        self.tally: Tally = reader.tally
        writer.lost = reader.tally.lost

    def feed(self, data: bytes) -> bytes:
        return self._out(self._reader.feed(data))

    def end(self) -> bytes:
        return self._out(self._reader.end())

    def _out(self, events: list[Event]) -> bytes:
        held = self._held
        if held is None:
            return self._writer.feed(events)
        held += events
        if self.tally.fault is not None or not (self.tally.content or self.tally.finished):
            return b""
        self._held = None
        return self._writer.feed(held)

    def whole(self, body: bytes) -> None:
        reader = self._reader
        self._events = reader.feed(body) + reader.end() if self._gathers else reader.whole(body)

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        if self._events is not None:
            return self._writer.whole(self._events, usage, cost)
        return self._writer.last(usage, cost)

    def keep_alive(self) -> bytes:
        return self._writer.keep_alive()

    def fail(self, error: GatewayError) -> bytes:
        return self._writer.fail(error)


class _Kept:
    """Implements AnswerReader for an answer that is here already."""

    def __init__(self, tally: Tally, events: list[Event]) -> None:
        self.tally = tally
        self._events: list[Event] = [one for one in events if not isinstance(one, Reported)]

    def whole(self, body: bytes) -> list[Event]:
        return self._events

    def feed(self, data: bytes) -> list[Event]:
        return self._events

    def end(self) -> list[Event]:
        return []


def within(events: list[Event], most: int | None, stops: tuple[str, ...]) -> list[Event]:
    """The events as far as their text goes. `most`: characters; None: all. Where one of `stops` comes first it ends
    there, as its model would have."""
    text = "".join(one.text for one in events if isinstance(one, TextDelta) and one.index == 0)
    found = [(at, stop) for stop in stops if (at := text.find(stop)) >= 0]
    at, sequence = min(found, default=(len(text), None))
    end: Finished | None = None if sequence is None else Finished(stop=Stop.STOP_SEQUENCE, sequence=sequence)
    if most is not None and most < at:
        at, end = most, Finished(stop=Stop.LENGTH)
    if end is None:
        return events
    kept: list[Event] = []
    for one in events:
        if isinstance(one, Finished) or (isinstance(one, TextDelta) and not at):
            break
        if isinstance(one, TextDelta):
            one = replace(one, text=one.text[:at])
            at -= len(one.text)
        kept.append(one)
    if kept and isinstance(kept[-1], TextDelta):
        kept.append(BlockEnded())
    return [*kept, end]


class Replay:
    """A draft as the answer itself: it quacks like an attempt that has answered."""

    __slots__ = ("began", "dropped", "first_byte", "lane", "pending", "target")

    def __init__(
        self, writer: AnswerWriter, tally: Tally, events: list[Event], target: LiveTarget, now: float, *, stream: bool
    ) -> None:
        self.lane = FusedLane(writer, _Kept(tally, events), False)
        self.target = target
        self.dropped: tuple[str, ...] = ()
        self.began = now
        self.first_byte: float | None = now
        self.pending = b""
        if stream:
            self.pending = self.lane.feed(b"")
        else:
            self.lane.whole(b"")

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        return False  # all of it is pending

    def broke(self) -> None:
        pass

    def close(self, *, good: bool = False) -> None:
        pass

    def seconds(self) -> float:
        return 0.0
