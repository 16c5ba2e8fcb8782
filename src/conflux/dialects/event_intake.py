"""The way in for a streamed answer of any dialect: bytes into events, and what is known of the answer beside; and the
way through, where its client speaks the same dialect.

Law: nothing foreign raises. What cannot be read is a Fault in the tally, the first of them counts, and an upstream that
closed without having said anything has failed.
"""

from abc import abstractmethod
from typing import Generic, TypeVar

from conflux.dialects.base import Tally, Wanted
from conflux.dialects.sse import SseError, SseReader
from conflux.neutral.events import Fault

Named = tuple[bytes, bytes]  # an event's name and its data


class EventIntake:
    """What the intakes of all dialects have in common."""

    _sse: SseReader | None = None  # until something is streamed

    def __init__(self) -> None:
        self.tally = Tally()

    def cut(self, data: bytes) -> list[Named]:
        """The events that are complete now."""
        if self._sse is None:
            self._sse = SseReader()
        try:
            return self._sse.feed(data)
        except SseError as error:
            self.fail(str(error))
            return []

    @property
    def resting(self) -> bool:
        """Is more to come, and nothing of it here yet?"""
        tally = self.tally
        return self._sse is not None and self._sse.resting and not tally.done and tally.fault is None

    def rest(self) -> list[Named]:
        """The event that the upstream left without its end, when it closed."""
        try:
            return self._sse.end() if self._sse is not None else []
        except SseError as error:
            self.fail(str(error))
            return []

    def closed(self) -> None:
        """The upstream said all it had to say: an answer of nothing is none."""
        if self.tally.events == 0:
            self.fail("the answer is empty, or no event stream")

    def fail(self, message: str) -> None:
        if self.tally.fault is None:
            self.tally.fault = Fault(message=message)


SomeIntake = TypeVar("SomeIntake", bound=EventIntake)


class EventPassThrough(Generic[SomeIntake]):
    """What the lanes of all dialects whose events are taken one by one have in common."""

    def __init__(self, wanted: Wanted, intake: SomeIntake) -> None:
        self._intake = intake
        self._wanted = wanted
        self.tally: Tally = intake.tally

    def feed(self, data: bytes) -> bytes:
        events = self._intake.cut(data)
        if len(events) == 1:
            return self._event(*events[0])
        return b"".join([self._event(name, payload) for name, payload in events])

    def end(self) -> bytes:
        out = b"".join([self._event(name, payload) for name, payload in self._intake.rest()])
        self._intake.closed()
        return out

    @abstractmethod
    def _event(self, name: bytes, payload: bytes) -> bytes:
        """What its client gets of one event, perhaps nothing."""
