"""How an answer travels: through unchanged, or translated by way of neutral events.

Law: passthrough only where both ends speak the same dialect and the provider's lane is not `compat`. A compat lane is
a reader and a writer back to back, and behaves like any lane.
"""

from functools import partial

from msgspec import Raw
from msgspec.structs import replace

from conflux.dialects import DIALECTS, embeddings
from conflux.dialects.base import AnswerReader, AnswerWriter, Dialect, Lane, Shape, Tally, Wanted, Written
from conflux.dialects.freeform import FreeformReader, as_functions, tools_of
from conflux.dialects.losses import check_vital
from conflux.dialects.think_tags import ThinkTagsReader
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Event
from conflux.neutral.records import Capability
from conflux.neutral.usage import Usage
from conflux.relay.admitted import Admitted
from conflux.relay.parts import Parts
from conflux.relay.snapshot import LiveTarget

Prepared = tuple[Shape, Written, Lane]


class CompatLane:
    """Dialect B's answer to dialect A's client. `gathers`: the upstream streams what the client wants whole."""

    __slots__ = ("_events", "_gathers", "_reader", "_writer", "tally")

    def __init__(self, reader: AnswerReader, writer: AnswerWriter, *, gathers: bool = False) -> None:
        self._reader = reader
        self._writer = writer
        self._gathers = gathers
        self._events: list[Event] | None = None
        self.tally: Tally = reader.tally
        writer.lost = reader.tally.lost

    def feed(self, data: bytes) -> bytes:
        return self._writer.feed(self._reader.feed(data))

    def end(self) -> bytes:
        return self._writer.feed(self._reader.end())

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


def upstream_dialect(admitted: Admitted, target: LiveTarget) -> Dialect:
    """The client's own dialect where the provider speaks it, else the provider's first."""
    spoken = target.live.provider.dialects
    return DIALECTS[admitted.dialect.name if admitted.dialect.name in spoken else spoken[0]]


def is_passthrough(admitted: Admitted, target: LiveTarget, dialect: Dialect) -> bool:
    if dialect.name != admitted.dialect.name:
        return False
    if admitted.envelope.kind == "embedding":
        return True  # it has no other lane
    provider = target.live.provider
    return provider.lane != "compat" and provider.quirks.get("reasoning_tags") is not True


async def prepared(parts: Parts, admitted: Admitted, target: LiveTarget, wanted: Wanted) -> Prepared:
    """As prepare, of a long request: beside the turns of others."""
    return await parts.aside.do(partial(prepare, admitted, target, upstream_dialect(admitted, target), wanted))


def prepare(admitted: Admitted, target: LiveTarget, dialect: Dialect, wanted: Wanted) -> Prepared:
    """How the request goes out and its answer comes back. Raises GatewayError for what the dialect cannot say."""
    envelope, provider = admitted.envelope, target.live.provider
    gathers = not envelope.stream and envelope.kind != "embedding" and provider.quirks.get("stream_only") is True
    shape = Shape(
        model=target.target.model,
        max_output=admitted.max_output,
        temperature=admitted.temperature,
        effort=target.target.effort or admitted.model.effort,
        reasons=Capability.REASONING in admitted.model.capabilities,
        stream=envelope.stream or gathers,
        quirks=provider.quirks,
    )
    rewritten = admitted.rewritten
    if rewritten is None and not gathers and is_passthrough(admitted, target, dialect):
        if envelope.kind == "embedding":
            wanted = replace(wanted, **embeddings.asked(envelope.body))
        return shape, dialect.forward(envelope, shape), admitted.dialect.passthrough(wanted)
    request = admitted.dialect.read_request(envelope) if rewritten is None else rewritten.request
    check_vital(request, dialect.name)
    freeform = tools_of(request)
    if freeform and (request.dialect == dialect.name) and provider.quirks.get("freeform_tools") is not False:
        freeform = frozenset()  # it has them itself
    written = dialect.write_request(as_functions(request) if freeform else request, shape)
    reader = dialect.reader(written.names)
    if provider.quirks.get("reasoning_tags") is True:
        reader = ThinkTagsReader(reader)
    if freeform:
        reader = FreeformReader(reader, freeform)
    if rewritten is not None:
        return shape, written, rewritten.lane(reader, gathers)
    return shape, written, CompatLane(reader, admitted.dialect.writer(wanted, request), gathers=gathers)
