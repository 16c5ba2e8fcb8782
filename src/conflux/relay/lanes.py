"""How an answer travels: through unchanged, or translated by way of neutral events.

Law: passthrough only where both ends speak the same dialect and the provider's lane is not `compat`. A compat lane is
a reader and a writer back to back, and behaves like any lane.
"""

from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerReader, AnswerWriter, Dialect, Lane, Shape, Tally, Wanted
from conflux.neutral.events import Event
from conflux.neutral.usage import Usage
from conflux.relay.admit import Admitted
from conflux.relay.snapshot import LiveTarget


class CompatLane:
    """Dialect B's answer to dialect A's client."""

    __slots__ = ("_events", "_reader", "_writer", "tally")

    def __init__(self, reader: AnswerReader, writer: AnswerWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._events: list[Event] | None = None
        self.tally: Tally = reader.tally

    def feed(self, data: bytes) -> bytes:
        return self._writer.feed(self._reader.feed(data))

    def end(self) -> bytes:
        return self._writer.feed(self._reader.end())

    def whole(self, body: bytes) -> None:
        self._events = self._reader.whole(body)

    def last(self, usage: Usage) -> bytes:
        if self._events is not None:
            return self._writer.whole(self._events, usage)
        return self._writer.last(usage)


def upstream_dialect(admitted: Admitted, target: LiveTarget) -> Dialect:
    """The client's own dialect where the provider speaks it, else the provider's first."""
    spoken = target.live.provider.dialects
    return DIALECTS[admitted.dialect.name if admitted.dialect.name in spoken else spoken[0]]


def is_passthrough(admitted: Admitted, target: LiveTarget, dialect: Dialect) -> bool:
    return dialect.name == admitted.dialect.name and target.live.provider.lane != "compat"


def outgoing(admitted: Admitted, target: LiveTarget, dialect: Dialect) -> tuple[bytes, tuple[str, ...]]:
    """The body to send, and what had to be left out. Raises GatewayError for what the dialect cannot say."""
    shape = Shape(
        model=target.target.model,
        max_output=admitted.max_output,
        temperature=admitted.temperature,
        effort=target.target.effort or admitted.model.effort,
        stream=admitted.envelope.stream,
        quirks=target.live.provider.quirks,
    )
    if is_passthrough(admitted, target, dialect):
        return dialect.forward(admitted.envelope, shape)
    return dialect.write_request(admitted.dialect.read_request(admitted.envelope), shape), ()


def lane_of(admitted: Admitted, target: LiveTarget, dialect: Dialect, wanted: Wanted) -> Lane:
    if is_passthrough(admitted, target, dialect):
        return admitted.dialect.passthrough(wanted)
    return CompatLane(dialect.reader(), admitted.dialect.writer(wanted))
