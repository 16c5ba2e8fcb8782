"""The upstream client: HTTP/1.1 over TCP, TLS and Unix sockets, and nothing that a gateway must not do.

Law: no redirects, no cookies, no decompression, no folding. A request is sent once; only on a pooled connection that
the server had closed, and only while not one byte of answer came, is it sent once more. Cancelling closes.
"""

import asyncio
import ssl
from collections.abc import Callable

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound
from conflux.upstream.address import split_origin, split_proxy
from conflux.upstream.connection import Connection
from conflux.upstream.dial import tls_context
from conflux.upstream.limits import Limits, Stats
from conflux.upstream.pool import Pool

__all__ = ["Client", "Limits", "Stats"]

_SCRATCH_BYTES = 64 * 1024


class _Answer:
    """An answer whose head has arrived. Implements ports.Inbound."""

    __slots__ = ("_call", "_connection", "_pool", "_spent", "headers", "status")

    def __init__(self, connection: Connection, pool: Pool, call: Outbound) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self._call = call
        self._spent = False
        self.status = connection.reader.status
        self.headers = connection.reader.headers

    def header(self, name: bytes) -> bytes | None:
        for one, value in self.headers:
            if one == name:
                return value
        return None

    async def chunk(self) -> bytes:
        connection = self._connection
        if connection is None:
            if self._spent:
                return b""
            raise _was_closed()
        data = connection.buffered() or await connection.chunk(self._call.idle_timeout)
        if connection.reader.done and not connection.reader.chunks:
            self._end()
        return data

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        connection = self._connection
        if connection is None:
            if self._spent:
                return False
            raise _was_closed()
        paused = await connection.stream(self._call.idle_timeout, sink)
        if connection.reader.done and not connection.reader.chunks:
            self._end()
        return paused

    async def read(self) -> bytes:
        connection = self._connection
        if connection is not None and connection.reader.done:  # most small answers come in one piece
            data = connection.buffered()
            self._end()
            self._check_size(len(data))
            return data
        parts: list[bytes] = []
        size = 0
        while data := await self.chunk():
            size += len(data)
            self._check_size(size)
            parts.append(data)
        return b"".join(parts)

    def _check_size(self, size: int) -> None:
        most = self._call.max_body or self._pool.limits.body_bytes
        if size > most:
            self.close()
            raise TransportError("size", f"an answer of more than {most} bytes", sent=True, answered=True)

    def _end(self) -> None:
        """The end is known: the next request need not wait until the caller has come to see it."""
        self._spent = True
        self.close()

    def finish(self) -> None:
        connection = self._connection
        if connection is None:
            return
        if connection.reader.done:
            self.close()
            return
        self._connection = None
        self._pool.outlast(connection)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)


class Client:
    """Implements ports.Transport. One per event loop."""

    def __init__(self, limits: Limits | None = None, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._limits = limits or Limits()
        self._make_tls = tls or tls_context
        self._context: ssl.SSLContext | None = None
        self._pools: dict[tuple[str, str | None], Pool] = {}
        self._scratch = memoryview(bytearray(_SCRATCH_BYTES))
        self._closed = False

    async def send(self, call: Outbound) -> _Answer:
        pool = self._pools.get((call.origin, call.proxy)) or self._pool(call)
        head = pool.heads.of(call)
        now = pool.loop.time()
        until = now + call.total_timeout
        connection = pool.take()
        if connection is None:
            connection = await pool.connect(min(now + call.connect_timeout, until))
            now = pool.loop.time()
        try:
            await connection.exchange(head, call, now, until)
            return _Answer(connection, pool, call)
        except TransportError as error:
            if error.answered or error.timeout or not connection.used:
                raise
            sent = error.sent
        # The server had closed it while it was idle: once more, on a fresh one.
        try:
            now = pool.loop.time()
            connection = await pool.connect(min(now + call.connect_timeout, until), fresh=True)
            await connection.exchange(head, call, pool.loop.time(), until)
        except TransportError as error:
            error.sent = error.sent or sent
            raise
        return _Answer(connection, pool, call)

    async def reach(self, origin: str, proxy: str | None, seconds: float) -> None:
        """Connect, TLS included, and leave again. Raises TransportError with the reason why not."""
        pool = self._pools.get((origin, proxy)) or self._pool(Outbound(origin=origin, path="/", proxy=proxy))
        (await pool.connect(pool.loop.time() + seconds, fresh=True)).abort()

    def stats(self) -> dict[str, Stats]:
        """By origin; what goes there through proxies is counted in."""
        found: dict[str, Stats] = {}
        for (origin, _), pool in self._pools.items():
            one, sofar = pool.stats(), found.get(origin)
            if sofar is not None:
                one = Stats(
                    open=one.open + sofar.open,
                    idle=one.idle + sofar.idle,
                    waiting=one.waiting + sofar.waiting,
                    in_use=one.in_use + sofar.in_use,
                )
            found[origin] = one
        return found

    async def aclose(self) -> None:
        """Closes every connection, whatever is under way on it. Who waits gets a TransportError."""
        self._closed = True
        for pool in self._pools.values():
            pool.shut()
        for _ in range(100):  # until the closed transports have told their connections
            if not any(one.open for one in self.stats().values()):
                return
            await asyncio.sleep(0)

    def _pool(self, call: Outbound) -> Pool:
        if self._closed:
            raise TransportError("connect", "the client is closed", sent=False, answered=False)
        proxy = split_proxy(call.proxy) if call.proxy is not None else None
        pool = Pool(split_origin(call.origin), proxy, self._limits, self._tls, self._scratch)
        self._pools[(call.origin, call.proxy)] = pool
        return pool

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._make_tls()
        return self._context


def _was_closed() -> TransportError:
    return TransportError("close", "the answer was closed", sent=True, answered=True)
