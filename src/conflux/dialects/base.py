"""What every dialect offers, on both faces.

Law: sans-IO. A dialect turns bytes into records and records into bytes; it never waits, opens or prices anything.
The client face opens a request and writes an answer; the upstream face writes a request and reads an answer;
the relay of a dialect carries its own answers through, changing only what must change.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Event, Fault
from conflux.neutral.fields import Words
from conflux.neutral.request import Envelope, Need, Request
from conflux.neutral.usage import Usage


class Tally(msgspec.Struct, eq=False):
    """What is known so far of one answer as it passes: the only mutable record of the wire, one per attempt."""

    usage: Usage | None = None  # the upstream's own count
    prompt: Usage | None = None  # what it counted of the question, before it answered
    usage_absurd: bool = False  # it counted something no answer can have; not to be billed from
    output_bytes: int = 0  # UTF-8 bytes of everything the model wrote, for an estimate
    events: int = 0
    content: bool = False  # the answer's first content was seen
    finished: bool = False  # a finish reason, or the protocol's own last word, was seen
    done: bool = False  # the protocol's last word was seen: nothing follows
    fault: Fault | None = None
    model: str | None = None
    upstream_id: str | None = None
    lost: set[str] = msgspec.field(default_factory=set)  # the names of what the client's protocol cannot say of it


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What of the upstream's identity is replaced in the answer, and what the client asked to see."""

    answer_id: str
    model: str  # what the answer's `model` says; "" echoes the upstream's own
    created: int
    include_usage: bool = False
    stored: bool = False  # the client may come back to it
    previous: str | None = None  # the response it goes on from
    inputs: int = 0  # how many embeddings were asked for; 0: nobody counts
    encoding: str = "float"  # and what each of them is to be written as


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a request's address and headers say of it beside its body."""

    model: str | None = None  # where the dialect names the model in the path
    stream: bool | None = None  # where the path says whether to stream
    listed_unless: str = ""  # a stream goes out as one JSON list, unless the query says this
    secret_in: str = ""  # the field of the query that may hold the key
    query: str = ""
    needs: frozenset[Need] = frozenset()  # what the path asks for, whatever the body does
    counts: str = ""  # where only the size of the request is asked for: the field of the answer that tells it
    headers: Mapping[str, str] = {}  # of those the dialect listens to, the ones that came


NOWHERE = Place()


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it goes out, and what its answer's reader must know of it."""

    body: bytes
    dropped: tuple[str, ...] = ()  # the names of what had to be left out
    head: bytes = b""  # header lines of this request alone, each ended
    names: Mapping[str, str] = {}  # what a tool is called on this wire: what it was called


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a request must look for one target: its model id and the provider's quirks."""

    model: str
    max_output: int | None = None
    temperature: float | None = None
    effort: str | None = None
    reasons: bool | None = None  # does the model say that it reasons? None: not known
    stream: bool = False
    quirks: dict[str, Any] = {}


class AnswerReader(Protocol):
    """An upstream's answer, as events."""

    tally: Tally

    def whole(self, body: bytes) -> list[Event]: ...
    def feed(self, data: bytes) -> list[Event]: ...
    def end(self) -> list[Event]: ...


class AnswerWriter(Protocol):
    """Events, as the client's answer."""

    lost: set[str]  # the names of what it was told and cannot say

    def feed(self, events: Iterable[Event]) -> bytes:
        """What of a streamed answer may go out at once."""
        ...

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        """What may go out only once the request is settled: the end of a stream. `cost`: a number, for protocols whose
        usage may hold it."""
        ...

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes: ...

    def keep_alive(self) -> bytes:
        """One whole event that says nothing, at whatever place the stream is."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """The last bytes of this stream where it cannot be finished."""
        ...


class Lane(Protocol):
    """One answer on its way through: a dialect's own bytes, or a reader and a writer back to back.

    A streamed answer is fed; one that is not is read whole. Either way `last` gives what may go out only once the
    request is settled: the end of the stream, or the whole body. Only whole events leave, so that between any two
    something may be said to keep the connection alive.
    """

    tally: Tally

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes:
        """The upstream closed its answer: what was held back by the reader."""
        ...

    def whole(self, body: bytes) -> None: ...
    def last(self, usage: Usage, cost: Raw | None = None) -> bytes: ...
    def keep_alive(self) -> bytes: ...
    def fail(self, error: GatewayError) -> bytes:
        """The last bytes of this stream where it cannot be finished."""
        ...


class Dialect(Protocol):
    name: str
    id_prefix: str  # what an answer's id begins with
    id_header: bytes  # where its clients look for the request's id, beside x-request-id; empty for nowhere else
    routes: tuple[str, ...]  # where its clients send their requests; with a query, one that they are known to add
    words: Words  # what its clients call a field that is refused or left out
    listens: tuple[bytes, ...]  # request headers that belong to the protocol, in lower case

    def find(self, path: str) -> Place | None:
        """Is this path one of the dialect's, though it is not in `routes`: one that says more than where."""
        ...

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope: ...
    def read_request(self, envelope: Envelope) -> Request: ...
    def write_request(self, request: Request, shape: Shape) -> Written:
        """Raises GatewayError by the field's name for what this protocol cannot say and no client may lose."""
        ...

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        """The passthrough lane's request."""
        ...

    def path(self, shape: Shape) -> str:
        """Where a provider of this dialect takes the request, below its base URL."""
        ...

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        """`names`: of the request that is answered."""
        ...

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        """`request`: the one that is answered, for a protocol whose answers repeat parts of it."""
        ...

    def passthrough(self, wanted: Wanted) -> Lane: ...

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]: ...
    def error_event(self, error: GatewayError) -> bytes:
        """The last bytes of a stream that cannot be finished, where none of it was written by a lane."""
        ...

    def upstream_error(self, status: int, body: bytes) -> Fault: ...
