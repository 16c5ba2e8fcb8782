"""One client connection: uvicorn's, with a short way for generation calls and ears for the hang-up.

Law: a POST to a path in the table of short ways is read, handed over and answered here, with one write per piece and no
ASGI message in between; everything else goes uvicorn's way, untouched. One request at a time: what a client
pipelines meanwhile waits, bounded, and is parsed when its turn comes. Whoever asked is called once when the client
leaves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from conflux.neutral.ports import Headers

SCOPE_KEY = "conflux.connection"
_HELD_MOST = 256 * 1024

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
} | {529: b"HTTP/1.1 529 Overloaded\r\n", 499: b"HTTP/1.1 499 Client Closed Request\r\n"}  # fmt: skip


class ShortRequest(msgspec.Struct):
    """A generation call as it arrived, whole."""

    url: bytes
    headers: Headers
    body: bytes


class ShortWays(Protocol):
    """Who answers on the short way."""

    body_bytes: int

    def takes(self, url: bytes) -> bool: ...

    async def short(self, request: ShortRequest, connection: "Connection") -> None:
        """Answers, by the connection's own methods. Never raises."""
        ...

    async def too_large(self, request: ShortRequest, connection: "Connection") -> None: ...


class Connection(HttpToolsProtocol):
    def __init__(self, ways: ShortWays | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = False
        self._ways = ways
        self._watcher: Callable[[], None] | None = None
        self._short: ShortRequest | None = None  # being read, or being answered
        self._parts: list[bytes] = []
        self._size = 0
        self._answering = False
        self._held = bytearray()
        self._keep_alive = True

    # --- reading

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[SCOPE_KEY] = self

    def on_headers_complete(self) -> None:
        ways = self._ways
        parser = self.parser
        if (
            ways is None
            or parser.get_method() != b"POST"
            or not ways.takes(self.url)
            or self.expect_100_continue
            or parser.should_upgrade()
            or parser.get_http_version() != "1.1"
            or (self.cycle is not None and not self.cycle.response_complete)
        ):
            super().on_headers_complete()
            return
        self._short = ShortRequest(self.url, self.headers, b"")
        self._parts = []
        self._size = 0
        self._keep_alive = parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        if self._short is None:
            super().on_body(body)
            return
        if self._answering:
            return  # refused already
        self._parts.append(body)
        self._size += len(body)
        if self._ways is not None and self._size > self._ways.body_bytes:
            self._keep_alive = False
            self._parts.clear()
            self._start(self._ways.too_large(self._short, self))

    def on_message_complete(self) -> None:
        if self._short is None:
            super().on_message_complete()
            return
        if self._answering or self._ways is None:
            return
        parts = self._parts
        self._short.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        self._start(self._ways.short(self._short, self))

    def _start(self, work: Awaitable[None]) -> None:
        self._answering = True
        task: asyncio.Task[None] = self.loop.create_task(cast(Any, work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def data_received(self, data: bytes) -> None:
        if self._answering:
            self._held += data
            if len(self._held) > _HELD_MOST:
                self.transport.abort()  # a client that sends so much before an answer is no client
            return
        super().data_received(data)

    # --- answering

    def head(self, status: int, headers: Headers) -> bytes:
        parts = [STATUS_LINES[status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if not self._keep_alive:
            parts.append(b"connection: close\r\n")
        return b"".join(parts)

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        if not self.lost:
            length = b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(self.head(status, headers) + length + body)

    def send_head(self, status: int, headers: Headers) -> None:
        if not self.lost:
            self.transport.write(self.head(status, headers) + b"transfer-encoding: chunked\r\n\r\n")

    def send_chunk(self, data: bytes) -> None:
        if data and not self.lost:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def send_last(self, data: bytes) -> None:
        if not self.lost:
            end = b"0\r\n\r\n"
            self.transport.write(b"%x\r\n%b\r\n%b" % (len(data), data, end) if data else end)

    async def drained(self) -> None:
        """Wait while the client reads slower than we write."""
        if self.flow.write_paused and not self.lost:
            await self.flow.drain()

    def finished(self) -> None:
        """The answer is out: the connection takes its next request, or closes."""
        self._short = None
        self._answering = False
        self._watcher = None
        if self.lost:
            return
        if not self._keep_alive:
            self.transport.close()
            return
        self.on_response_complete()
        if self._held:
            held = bytes(self._held)
            self._held.clear()
            self.data_received(held)

    # --- the end of it

    def watch(self, call: Callable[[], None] | None) -> None:
        """Whom to call when the client leaves; None: nobody any more."""
        self._watcher = call

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost = True
        call, self._watcher = self._watcher, None
        if call is not None:
            call()

    def shutdown(self) -> None:
        if self._answering:
            self._keep_alive = False
        else:
            super().shutdown()


def connection_of(scope: Any) -> Connection | None:
    """The connection behind a scope; None under another server, which then only cancels late."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Connection) else None
