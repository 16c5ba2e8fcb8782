"""What the request path works with, in one object, and what it meets at the client's end.

Law: every collaborator comes in here and is injected in wiring; nothing on this floor finds one by itself.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from conflux.dialects.base import NOWHERE, Place
from conflux.neutral.ledger import Ending
from conflux.neutral.ports import AnswerStore, Clock, Headers, KeyBook, Ledger, ResponseStore, Tokens, Transport
from conflux.neutral.records import Storefront
from conflux.neutral.usage import Usage
from conflux.policy.rates import RateBook
from conflux.relay.aside import Aside
from conflux.relay.counting import Sizes
from conflux.relay.snapshot import Snapshot
from conflux.routing.health import HealthBook


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One finished request, for the metrics."""

    storefront: str
    model: str
    ending: Ending
    status: int
    stream: bool
    usage: Usage
    charge: int
    credits: int  # micro-credits
    seconds: float
    first_byte: float | None


class Meter(Protocol):
    def began(self) -> None: ...
    def ended(self, outcome: Outcome | None) -> None:
        """None: refused before it became a request on the ledger."""
        ...


class Handle(Protocol):
    def cancel(self) -> None: ...


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    clock: Clock
    ledger: Ledger
    keys: KeyBook
    transport: Transport
    tokens: Tokens
    snapshot: Callable[[], Snapshot]
    health: HealthBook
    sizes: Sizes
    aside: Aside
    below: Callable[[int], int]  # a random number from 0 to n - 1
    meter: Meter
    rates: RateBook
    later: Callable[[float, Callable[[], None]], Handle]  # call this after so many seconds
    responses: ResponseStore | None = None  # None: none are kept
    answers: AnswerStore | None = None  # as above
    keep_alive: float  # seconds of silence in a stream after which its client is told that it still goes on


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One generation call as the face hands it over."""

    dialect: str
    body: bytes
    secret: str | None
    headers: Headers = []  # the request's own, names in lower case
    mount: Storefront | None  # fixed by path or host; None at the root: the key decides
    place: Place = NOWHERE
    once: bytes | None = None  # what its client calls it, so that it is done once


class Exchange(Protocol):
    """The client's end of one request. What is written to a client that left goes nowhere, quietly."""

    @property
    def gone(self) -> bool: ...

    def on_gone(self, call: Callable[[], None]) -> None:
        """Called once when the client leaves; at once where it has left already."""
        ...

    def serving(self, storefront: Storefront) -> None:
        """Which storefront answers: its CORS rules go onto the head."""
        ...

    async def reply(self, status: int, headers: Headers, body: bytes) -> None: ...
    async def begin(self, status: int, headers: Headers) -> None: ...
    def push(self, data: bytes) -> bool:
        """Write without waiting. False: the client reads slower than we write, wait for `drained`."""
        ...

    async def drained(self) -> None: ...
    async def finish(self, data: bytes) -> None: ...
