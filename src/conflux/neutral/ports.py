"""What the request path asks of the outside: time, sockets, the ledger, keys.

Law: the floors below the stores and the upstream client know them only by these protocols, so a whole gateway
runs in a test with other ones behind them.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from conflux.neutral.ledger import Checkpoint, Receipt, Reservation, Settlement
from conflux.neutral.records import Caller

Headers = list[tuple[bytes, bytes]]


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float: ...


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request to an upstream. `origin` is scheme://host[:port] or unix:/path; `path` starts with /."""

    origin: str
    path: str
    method: str = "POST"
    headers: Headers = []
    head: bytes = b""  # more headers, as complete lines: those that many requests have
    tail: bytes = b""  # and those of this one
    body: bytes = b""
    proxy: str | None = None
    connect_timeout: float = 5.0
    first_byte_timeout: float = 60.0
    idle_timeout: float = 120.0
    total_timeout: float = 900.0
    max_body: int | None = None  # of an answer that is read whole; None: as the transport has it


class Inbound(Protocol):
    """An answer whose head has arrived. Header names are lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...

    def header(self, name: bytes) -> bytes | None: ...

    async def read(self) -> bytes:
        """The whole rest of the body. Raises TransportError where it is cut, too long or too slow."""
        ...

    async def chunk(self) -> bytes:
        """The next bytes as they came, or b"" at the end. Raises TransportError as read() does."""
        ...

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        """Hand each arrival to `sink` at once. True when the sink answered False: it wants a pause, and nothing more
        is handed over until the next call. False at the end of the body. Raises TransportError as read() does."""
        ...

    def finish(self) -> None:
        """All that matters has come. The rest, which should be the end alone, is awaited for a moment and by nobody, so
        that the connection can be used again; then as close()."""
        ...

    def close(self) -> None:
        """Done with it: a connection whose answer was read to its end goes back to the pool, any other is
        closed at once. Never raises, may be called twice, must be called."""
        ...


class Transport(Protocol):
    async def send(self, call: Outbound) -> Inbound:
        """Send and wait for the answer's head. Raises TransportError; cancelling closes the connection."""
        ...


class ServiceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A program's account at its provider: what tokens are asked for with."""

    email: str
    key: str  # PEM
    key_id: str = ""
    token_uri: str
    project: str = ""

    def __repr__(self) -> str:
        return f"ServiceAccount({self.email})"  # the rest is secret


class TokenRefused(Exception):
    """No token for this account. `final`: asking again will not help until somebody changes something."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Tokens(Protocol):
    """Short-lived tokens for accounts, as the header lines that carry them."""

    def held(self, account: ServiceAccount) -> bytes | None:
        """The line, if there is one that will last for the next call."""
        ...

    async def line(self, account: ServiceAccount) -> bytes:
        """The line, fetched where there is none. Raises TokenRefused."""
        ...

    def forget(self, account: ServiceAccount) -> None:
        """The provider did not take the last one."""
        ...


class Ledger(Protocol):
    async def reserve(self, order: Reservation) -> None:
        """Committed when it returns. Raises GatewayError (402/429) where a cap would be passed, StoreError. Where it is
        cancelled, nothing stays held."""
        ...

    async def start(self, request_id: int) -> None:
        """Committed when it returns: from here on the customer may have received something."""
        ...

    def checkpoint(self, mark: Checkpoint, told: Callable[[bool], None] | None = None, *, hurry: bool = False) -> None:
        """Queued; rides in the next commit, which is at once where there is a `hurry`. `told` hears whether it is
        committed: False where it is not and will not be."""
        ...

    async def settle(self, end: Settlement) -> int:
        """Committed when it returns the nano-USD charged. A second settle of a request changes nothing and
        returns what the first one charged."""
        ...

    async def receipt(self, request_id: int) -> Receipt | None: ...


class StoredResponse(msgspec.Struct, frozen=True):
    """What a client may come back to: the items it asked with, each with an id, and the response as it got it."""

    input: list[dict[str, Any]]
    answer: dict[str, Any]


class ResponseStore(Protocol):
    """Responses by key: none is found by another's."""

    @property
    def most_bytes(self) -> int:
        """Of a request that is kept."""
        ...

    async def get(self, key_id: int, name: str) -> StoredResponse | None: ...
    async def item(self, key_id: int, name: str) -> dict[str, Any] | None: ...
    async def put(self, key_id: int, response: StoredResponse) -> None:
        """Committed when it returns."""
        ...

    async def delete(self, key_id: int, name: str) -> bool:
        """Was it there?"""
        ...


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a name that a client gave its request."""

    body: bytes  # a digest of what was asked
    sealed: bytes | None  # None: it is under way; empty: the answer was too large to be kept
    request_id: int
    cost: int = 0  # nano-USD, as its receipt says
    credits: int = 0  # micro-credits


class AnswerStore(Protocol):
    """Answers by the name of their request. They are put there by the ledger, with the settlement."""

    @property
    def seconds(self) -> int:
        """How long they are kept."""
        ...

    @property
    def most_bytes(self) -> int:
        """Of an answer that is kept."""
        ...

    async def find(self, name: bytes) -> KeptAnswer | None:
        """None: the name is free."""
        ...

    def seal(self, name: bytes, answer: bytes) -> bytes: ...
    def open(self, name: bytes, sealed: bytes) -> bytes: ...


class KeyBook(Protocol):
    def known(self, secret: str) -> Caller | bool | None:
        """From memory: the caller, None for a key known to be bad, False where the store must be asked."""
        ...

    async def find(self, secret: str) -> Caller | None: ...
