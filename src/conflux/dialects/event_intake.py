"""The way in for a streamed answer of any dialect: bytes into events, and what is known of the answer beside.

Law: nothing foreign raises. What cannot be read is a Fault in the tally, the first of them counts, and an upstream that
closed without having said anything has failed.
"""

from conflux.dialects.base import Tally
from conflux.dialects.sse import SseError, SseReader
from conflux.neutral.events import Fault

Named = tuple[bytes, bytes]  # an event's name and its data


class EventIntake:
    """What the intakes of all dialects have in common."""

    __slots__ = ("_sse", "tally")

    def __init__(self) -> None:
        self.tally = Tally()
        self._sse = SseReader()

    def cut(self, data: bytes) -> list[Named]:
        """The events that are complete now."""
        try:
            return self._sse.feed(data)
        except SseError as error:
            self.fail(str(error))
            return []

    def rest(self) -> list[Named]:
        """The event that the upstream left without its end, when it closed."""
        try:
            return self._sse.end()
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
