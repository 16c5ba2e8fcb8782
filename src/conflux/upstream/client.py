"""The upstream client: HTTP/1.1 over TCP, TLS and Unix sockets, and nothing that a gateway must not do.

Law: no redirects, no cookies, no decompression, no folding. A request is sent once; only on a pooled connection that
the server had closed, and only while not one byte of answer came, is it sent once more. Cancelling closes.
"""

import asyncio
import base64
import ssl
from collections import deque
from collections.abc import Callable

import httptools
import msgspec

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound
from conflux.upstream.address import Address, Proxy, split_origin, split_proxy
from conflux.upstream.connection import Connection

_HOP_BY_HOP = frozenset(
    name.encode()
    for name in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "accept-encoding",
    ]
)


class Limits(msgspec.Struct, frozen=True):
    per_origin: int = 512  # open connections
    idle_per_origin: int = 128
    idle_seconds: float = 50.0


class Stats(msgspec.Struct, frozen=True):
    open: int
    idle: int
    waiting: int


class _Answer:
    """An answer whose head has arrived. Implements ports.Inbound."""

    __slots__ = ("_call", "_connection", "_origin", "_spent", "headers", "status")

    def __init__(self, connection: Connection, origin: "_Origin", call: Outbound) -> None:
        self._connection: Connection | None = connection
        self._origin = origin
        self._call = call
        self.status = connection.status
        self.headers = connection.headers
        self._spent = False

    def header(self, name: bytes) -> bytes | None:
        for one, value in self.headers:
            if one == name:
                return value
        return None

    async def chunk(self) -> bytes:
        if self._connection is None:
            if self._spent:
                return b""
            raise TransportError("body", "the answer was closed", sent=True, answered=True)
        data = await self._connection.chunk(self._call.idle_timeout)
        if not data:
            self._release()
        return data

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        if self._connection is None:
            if self._spent:
                return False
            raise TransportError("body", "the answer was closed", sent=True, answered=True)
        paused = await self._connection.stream(self._call.idle_timeout, sink)
        if not paused:
            self._release()
        return paused

    async def read(self) -> bytes:
        most = self._call.max_body
        parts: list[bytes] = []
        size = 0
        while True:
            data = await self.chunk()
            if not data:
                return parts[0] if len(parts) == 1 else b"".join(parts)
            size += len(data)
            if size > most:
                self.close()
                raise TransportError("body", f"an answer of more than {most} bytes", sent=True, answered=True)
            parts.append(data)

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._spent = True
            self._origin.give_back(connection)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._origin.give_back(connection)


class _Origin:
    """The connections to one place, through one proxy or none."""

    def __init__(self, address: Address, proxy: Proxy | None, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self.proxy = proxy
        self._limits = limits
        self._loop = loop
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        tail = b"accept-encoding: identity\r\nconnection: keep-alive\r\n"
        if proxy is not None and not address.tls and proxy.credentials is not None:
            tail += b"proxy-authorization: Basic " + base64.b64encode(proxy.credentials) + b"\r\n"
        self.fixed = b"host: " + address.authority + b"\r\n" + tail
        self.prefix = b"http://" + address.authority if proxy is not None and not address.tls else b""

    def stats(self) -> Stats:
        return Stats(open=len(self._open), idle=len(self._idle), waiting=len(self._waiting))

    def take(self) -> Connection | None:
        """An idle connection that may still be good."""
        oldest = self._loop.time() - self._limits.idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.closed or connection.idle_since < oldest:
                connection.abort()
                continue
            return connection
        return None

    async def slot(self) -> bool:
        """Wait, in order of arrival, until one more connection may be opened; False where an idle one came back."""
        while len(self._open) + self._opening >= self._limits.per_origin:
            turn: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                elif turn.done() and not turn.cancelled():
                    self._next()  # our turn had come; it goes to who waits behind us
                raise
            if self._idle:
                return False
        self._opening += 1
        return True

    def opened(self, connection: Connection) -> None:
        self._opening -= 1
        self._open.add(connection)
        connection.on_closed = self._closed

    def not_opened(self) -> None:
        self._opening -= 1
        self._next()

    def give_back(self, connection: Connection) -> None:
        if connection.reusable and len(self._idle) < self._limits.idle_per_origin:
            connection.rest(self._loop.time())
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(self._limits.idle_seconds, self._sweep)
            self._next()
        else:
            connection.abort()

    def _closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _sweep(self) -> None:
        self._sweeper = None
        oldest = self._loop.time() - self._limits.idle_seconds
        for connection in [one for one in self._idle if one.idle_since <= oldest]:
            self._idle.remove(connection)
            connection.abort()
        if self._idle:
            self._sweeper = self._loop.call_later(self._limits.idle_seconds / 2, self._sweep)

    def shut(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._open):
            connection.abort()
        for turn in self._waiting:
            turn.cancel()


class Client:
    """Implements ports.Transport. One per event loop."""

    def __init__(self, limits: Limits | None = None, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._limits = limits or Limits()
        self._tls = tls or ssl.create_default_context
        self._context: ssl.SSLContext | None = None
        self._origins: dict[tuple[str, str | None], _Origin] = {}
        self._closed = False

    async def send(self, call: Outbound) -> _Answer:
        origin = self._origins.get((call.origin, call.proxy)) or self._origin(call)
        head = _head(call, origin)
        connection = origin.take()
        if connection is not None:
            try:
                return await self._exchange(connection, origin, head, call)
            except TransportError as error:
                if error.answered or error.timeout:
                    raise
                # The server had closed it while it was idle: once more, on a fresh one.
        connection = await self._connect(origin, call)
        return await self._exchange(connection, origin, head, call)

    async def _exchange(self, connection: Connection, origin: _Origin, head: bytes, call: Outbound) -> _Answer:
        try:
            await connection.exchange(
                head,
                call.body,
                first_byte=call.first_byte_timeout,
                total=call.total_timeout,
                head_only=call.method == "HEAD",
            )
        except BaseException:
            connection.abort()
            raise
        return _Answer(connection, origin, call)

    def stats(self) -> dict[str, Stats]:
        return {key[0]: origin.stats() for key, origin in self._origins.items()}

    async def aclose(self) -> None:
        self._closed = True
        for origin in self._origins.values():
            origin.shut()
        await asyncio.sleep(0)  # let the closed transports tell their protocols

    def _origin(self, call: Outbound) -> _Origin:
        proxy = split_proxy(call.proxy) if call.proxy is not None else None
        made = _Origin(split_origin(call.origin), proxy, self._limits, asyncio.get_running_loop())
        self._origins[(call.origin, call.proxy)] = made
        return made

    async def _connect(self, origin: _Origin, call: Outbound) -> Connection:
        """A fresh connection, or an idle one that came back while we waited for a slot."""
        try:
            async with asyncio.timeout(call.connect_timeout):
                if self._closed:
                    raise TransportError("connect", "the client is closed", sent=False, answered=False)
                while not await origin.slot():
                    idle = origin.take()
                    if idle is not None:
                        return idle
                try:
                    connection = await self._open(origin)
                except BaseException:
                    origin.not_opened()
                    raise
                origin.opened(connection)
                return connection
        except TimeoutError:
            raise TransportError("connect", "not connected in time", sent=False, answered=False, timeout=True) from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            raise TransportError("tls", str(reason), sent=False, answered=False) from None
        except OSError as error:
            raise TransportError("connect", error.strerror or str(error), sent=False, answered=False) from None

    async def _open(self, origin: _Origin) -> Connection:
        loop = asyncio.get_running_loop()
        address, proxy = origin.address, origin.proxy

        def make() -> Connection:
            return Connection(loop)

        if address.unix is not None:
            return (await loop.create_unix_connection(make, address.unix))[1]
        if proxy is None:
            tls = self._tls_context() if address.tls else None
            name = address.host if address.tls else None
            return (await loop.create_connection(make, address.host, address.port, ssl=tls, server_hostname=name))[1]
        outer = self._tls_context() if proxy.tls else None
        if not address.tls:
            return (await loop.create_connection(make, proxy.host, proxy.port, ssl=outer))[1]
        transport, tunnel = await loop.create_connection(_Tunnel, proxy.host, proxy.port, ssl=outer)
        try:
            await tunnel.open(address, proxy)
            connection = make()
            upgraded = await loop.start_tls(transport, connection, self._tls_context(), server_hostname=address.host)
        except BaseException:
            transport.abort()
            raise
        if upgraded is None:
            raise TransportError("tls", "the tunnel closed", sent=False, answered=False)
        connection.connection_made(upgraded)
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._tls()
        return self._context


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a way through; its answer is parsed by llhttp like any other."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._seen = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    async def open(self, address: Address, proxy: Proxy) -> None:
        assert self._transport is not None
        target = f"{address.host}:{address.port}".encode()
        head = b"CONNECT " + target + b" HTTP/1.1\r\nhost: " + target + b"\r\n"
        if proxy.credentials is not None:
            head += b"proxy-authorization: Basic " + base64.b64encode(proxy.credentials) + b"\r\n"
        self._transport.write(head + b"\r\n")
        status = await self._answer
        if not 200 <= status < 300:
            raise TransportError("proxy", f"the proxy answered {status}", sent=False, answered=False)

    def data_received(self, data: bytes) -> None:
        self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the proxy does not speak HTTP: {error}")
        if self._seen > 16 * 1024:
            self._fail("the proxy's answer has no end")

    def on_headers_complete(self) -> None:
        if not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the proxy closed the connection")

    def _fail(self, reason: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(TransportError("proxy", reason, sent=False, answered=False))


def _head(call: Outbound, origin: _Origin) -> bytes:
    """The request's head in one piece. A line break hidden anywhere would show in the count of lines."""
    lines = [
        call.method.encode("ascii"),
        b" ",
        origin.prefix,
        call.path.encode("ascii"),
        b" HTTP/1.1\r\n",
        origin.fixed,
        call.head,
    ]
    count = origin.fixed.count(b"\n") + call.head.count(b"\n") + 1
    for name, value in call.headers:
        if name.lower() in _HOP_BY_HOP:
            raise ValueError(f"the header {name!r} belongs to the connection, not to the caller")
        lines += (name, b": ", value, b"\r\n")
        count += 1
    if call.body or call.method in ("POST", "PUT", "PATCH"):
        lines += (b"content-length: ", str(len(call.body)).encode(), b"\r\n")
        count += 1
    head = b"".join(lines)
    if (
        head.count(b"\n") != count
        or head.count(b"\r") != count
        or b"\0" in head
        or head.count(b" ", 0, head.index(b"\r")) != 2
    ):
        raise ValueError("a method, path or header holds a line break, a NUL or a stray space")
    return head + b"\r\n"
