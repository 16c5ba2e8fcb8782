"""One request's connection, as the simulator uses it.

Law: whoever waits here also learns that the client left, so nothing outlives its client. What ASGI has no word for (a
reset, bytes not yet sent) comes from the server's own protocol through the scope.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Headers = list[tuple[bytes, bytes]]

WIRE = "conflux.sim.wire"  # in the scope
_GLANCE_SECONDS = 0.25  # how long a pacing sleep may overlook that the client left


class Wire(Protocol):
    """The connection underneath."""

    def abort(self) -> None: ...

    def unsent(self) -> int: ...

    def count(self) -> int:
        """Connections open on this server."""
        ...


class ClientLeft(Exception):
    pass


class Line:
    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.path: str = scope["path"]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.headers = _joined(scope["headers"])
        self.sent = 0  # bytes of the answer's body
        self._wire: Wire | None = scope.get(WIRE)
        self._receive = receive
        self._send = send
        self._left: asyncio.Task[None] | None = None

    async def body(self) -> bytes:
        parts = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)

    async def head(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, more: bool = True) -> None:
        self.sent += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def reply(self, status: int, body: bytes, headers: Headers) -> None:
        await self.head(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self.write(body, more=False)

    @property
    def lost(self) -> bool:
        return self._watch().done()

    async def pause(self, seconds: float) -> None:
        if seconds > _GLANCE_SECONDS:
            await asyncio.wait((self._watch(),), timeout=seconds)
        else:
            await asyncio.sleep(max(seconds, 0))  # who is late still leaves others their turn
        if self.lost:
            raise ClientLeft

    async def stall(self) -> None:
        """Nothing more is said; over when the client has had enough."""
        await asyncio.wait((self._watch(),))

    async def abort(self) -> None:
        """The connection is reset, after what was written has left."""
        if self._wire is None:
            raise ConnectionAbortedError("this server cannot reset a connection: use SimServer")
        while self._wire.unsent() and not self.lost:  # noqa: ASYNC110  # no loop tells when a buffer ran empty
            await asyncio.sleep(0.001)
        self._wire.abort()
        await self.stall()

    def close(self) -> None:
        if self._left is not None:
            self._left.cancel()

    def connections(self) -> int:
        return self._wire.count() if self._wire is not None else 0

    def _watch(self) -> asyncio.Task[None]:
        """Done when the client has left. Once the body is read, the server has nothing else to tell."""
        if self._left is None:
            self._left = asyncio.ensure_future(self._until_left())
        return self._left

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by name; one that came twice keeps both values."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
