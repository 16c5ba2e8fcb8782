"""The client's end of a request: over ASGI, or straight on the connection.

Law: the head goes out once, with the headers every answer carries; what is written to a client that left goes
nowhere. CORS is the answering storefront's word, so it is added here, when it is known who answers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from conflux.faces.connection import SCOPE_KEY, Connection
from conflux.faces.short_way import BODILESS
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront

Send = Callable[[Any], Awaitable[None]]

_VARY = (b"vary", b"origin")


def connection_of(scope: Any) -> Connection | None:
    """The connection behind a scope; None under another server, which then only cancels late."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Connection) else None


def cors(storefront: Storefront | None, origin: bytes | None) -> Headers:
    """The headers that let a browser page of `origin` read the answer, or none."""
    if storefront is None or origin is None or not storefront.allowed_origins:
        return []
    if "*" in storefront.allowed_origins:
        allowed = b"*"
    elif origin.decode("latin-1") in storefront.allowed_origins:
        allowed = origin
    else:
        return [_VARY]
    return [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", b"*"), _VARY]


class HttpExchange:
    """Implements relay's Exchange over ASGI."""

    __slots__ = ("_connection", "_origin", "_send", "_storefront", "_waiting", "began", "ended")

    def __init__(self, scope: Any, send: Send, origin: bytes | None) -> None:
        self._send = send
        self._waiting = bytearray()  # pushed, not yet sent
        self._connection = connection_of(scope)
        self._origin = origin
        self._storefront: Storefront | None = None
        self.began = False
        self.ended = False

    @property
    def gone(self) -> bool:
        return self._connection is not None and self._connection.lost

    def on_gone(self, call: Callable[[], None]) -> None:
        if self._connection is None:
            return
        if self._connection.lost:
            call()
        else:
            self._connection.watch(call)

    def release(self) -> None:
        if self._connection is not None:
            self._connection.watch(None)

    def serving(self, storefront: Storefront) -> None:
        self._storefront = storefront

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.began = self.ended = True
        headers = list(headers)
        if status not in BODILESS:
            headers.append((b"content-length", str(len(body)).encode()))
        if self._origin is not None:
            headers += cors(self._storefront, self._origin)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def begin(self, status: int, headers: Headers) -> None:
        self.began = True
        if self._origin is not None:
            headers = [*headers, *cors(self._storefront, self._origin)]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    def push(self, data: bytes) -> bool:
        self._waiting += data
        return False

    async def drained(self) -> None:
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes) -> None:
        self.ended = True
        await self._send({"type": "http.response.body", "body": bytes(self._waiting) + data})


class ShortExchange:
    """Implements relay's Exchange on the connection itself."""

    __slots__ = ("_connection", "_origin", "_storefront", "began", "ended", "push")

    def __init__(self, connection: Connection, origin: bytes | None) -> None:
        self._connection = connection
        self.push: Callable[[bytes], bool] = connection.push  # called for each piece: one step less
        self._origin = origin
        self._storefront: Storefront | None = None
        self.began = False
        self.ended = False

    @property
    def gone(self) -> bool:
        return self._connection.lost

    def on_gone(self, call: Callable[[], None]) -> None:
        if self._connection.lost:
            call()
        else:
            self._connection.watch(call)

    def serving(self, storefront: Storefront) -> None:
        self._storefront = storefront

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.began = self.ended = True
        if self._origin is not None:
            headers = [*headers, *cors(self._storefront, self._origin)]
        self._connection.send_whole(status, headers, body)

    async def begin(self, status: int, headers: Headers) -> None:
        self.began = True
        if self._origin is not None:
            headers = [*headers, *cors(self._storefront, self._origin)]
        self._connection.send_head(status, headers)

    async def drained(self) -> None:
        await self._connection.drained()

    async def finish(self, data: bytes) -> None:
        self.ended = True
        self._connection.send_last(data)
