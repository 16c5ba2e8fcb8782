"""The connections to one place, through one proxy or none.

Law: never more open than the limit. Who finds none free waits in order of arrival; what comes free is handed to who
waits longest, never to who comes by. An idle connection that the upstream has touched is not used again.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from conflux.neutral.errors import TransportError
from conflux.upstream.address import Address, Proxy
from conflux.upstream.connection import Connection, PlainConnection, SecureConnection
from conflux.upstream.dial import dial, proxy_authorization
from conflux.upstream.head import Heads
from conflux.upstream.limits import Limits, Stats

# What may follow the last content: a server that goes on beyond that means something else.
_AFTERWORD_SECONDS = 0.5
_AFTERWORD_BYTES = 4096


class Pool:
    """`heads`: how requests to this place begin."""

    def __init__(
        self,
        address: Address,
        proxy: Proxy | None,
        limits: Limits,
        tls: Callable[[], ssl.SSLContext],
        scratch: memoryview,
    ) -> None:
        if address.unix is not None:
            proxy = None
        self.loop = asyncio.get_running_loop()
        self._address = address
        self._proxy = proxy
        self.limits = limits
        self._tls = tls
        self._scratch = scratch
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        # Each waits for a connection, or for None: leave to open one.
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._ending: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._shut = False
        fixed = b"host: " + address.authority + b"\r\naccept-encoding: identity\r\nconnection: keep-alive\r\n"
        prefix = b""
        if proxy is not None and not address.tls:
            prefix = b"http://" + address.authority
            if proxy.credentials is not None:
                fixed += proxy_authorization(proxy.credentials)
        self.heads = Heads(prefix, fixed)

    def stats(self) -> Stats:
        count, idle = len(self._open), len(self._idle)
        return Stats(open=count, idle=idle, waiting=len(self._waiting), in_use=count - idle)

    def take(self) -> Connection | None:
        """The idle connection used last, if it is still good."""
        if not self._idle:
            return None
        now = self.loop.time()
        while self._idle:
            connection = self._idle.pop()
            if now - connection.idle_since <= self.limits.idle_seconds and not connection.stale(now):
                return connection
            connection.abort()
        return None

    async def connect(self, deadline: float, *, fresh: bool = False) -> Connection:
        """A new connection, or one that came free while we waited; `fresh`: only a new one."""
        queued = True
        try:
            async with asyncio.timeout_at(deadline):
                while (ready := await self._turn()) is not None:
                    if not fresh:
                        return ready
                    ready.abort()
                queued = False
                return await self._open_one()
        except TimeoutError:
            reason = "no connection came free in time" if queued else "not connected in time"
            raise _failure("connect", reason, timeout=True) from None
        except ssl.SSLError as error:
            raise _failure("tls", str(getattr(error, "verify_message", "") or error.reason or error)) from None
        except OSError as error:
            raise _failure("connect", error.strerror or str(error)) from None

    def give_back(self, connection: Connection) -> None:
        if not connection.reusable or self._shut:
            connection.abort()
            return
        connection.rest()
        turn = self._next_turn()
        if turn is not None:
            turn.set_result(connection)
        elif len(self._idle) < self.limits.idle_per_origin:
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = self.loop.call_later(self.limits.idle_seconds, self._sweep)
        else:
            connection.abort()

    def outlast(self, connection: Connection) -> None:
        """Its answer is as good as over: hear the end of it, so that the connection can be used again."""
        task = self.loop.create_task(self._outlast(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _outlast(self, connection: Connection) -> None:
        most = _AFTERWORD_BYTES
        try:
            async with asyncio.timeout(_AFTERWORD_SECONDS):
                while most > 0 and (data := await connection.chunk(_AFTERWORD_SECONDS)):
                    most -= len(data)
        except (TransportError, TimeoutError):
            pass  # it is not whole, and so not used again
        finally:
            self.give_back(connection)

    def shut(self) -> None:
        self._shut = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._open):
            connection.abort()
        while (turn := self._next_turn()) is not None:
            turn.set_exception(_failure("connect", "the client is closed"))

    # --- slots

    async def _turn(self) -> Connection | None:
        """None: a slot is ours, to open a connection in."""
        if self._shut:
            raise _failure("connect", "the client is closed")
        if len(self._open) + self._opening < self.limits.per_origin:
            self._opening += 1
            return None
        turn: asyncio.Future[Connection | None] = self.loop.create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                if turn in self._waiting:
                    self._waiting.remove(turn)
            elif turn.exception() is None:  # our turn had come: it goes to who waits behind us
                ready = turn.result()
                if ready is None:
                    self._not_opened()
                else:
                    self.give_back(ready)
            raise

    async def _open_one(self) -> Connection:
        try:
            connection = await dial(self._make, self._address, self._proxy, self._tls)
        except BaseException:
            self._not_opened()
            raise
        self._opening -= 1
        if connection.lost:
            self._free()
        else:
            self._open.add(connection)
        if self._shut:
            connection.abort()
        return connection

    def _make(self) -> PlainConnection | SecureConnection:
        if self._address.tls or (self._proxy is not None and self._proxy.tls):
            return SecureConnection(self.loop, self.limits, self._lost)
        return PlainConnection(self.loop, self.limits, self._lost, self._scratch)

    def _not_opened(self) -> None:
        self._opening -= 1
        self._free()

    def _lost(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            self._free()

    def _free(self) -> None:
        """A slot came free."""
        if len(self._open) + self._opening < self.limits.per_origin:
            turn = self._next_turn()
            if turn is not None:
                self._opening += 1
                turn.set_result(None)

    def _next_turn(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None

    def _sweep(self) -> None:
        self._sweeper = None
        oldest = self.loop.time() - self.limits.idle_seconds
        for connection in [one for one in self._idle if one.idle_since <= oldest]:
            self._idle.remove(connection)
            connection.abort()
        if self._idle:
            self._sweeper = self.loop.call_later(self.limits.idle_seconds / 2, self._sweep)


def _failure(stage: str, reason: str, *, timeout: bool = False) -> TransportError:
    return TransportError(stage, reason, sent=False, answered=False, timeout=timeout)
