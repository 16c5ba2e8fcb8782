"""One connection to an upstream: an exchange at a time, its waits and its deadlines.

Law: one timer, one waiter, one reader. Whatever ends the connection is kept as one TransportError and raised to
whoever waits next. Bytes that nobody asked for close it. A reader that does not read stops the sender. The stages
of an error are: send, request body, first byte, head, idle, body, size, total, close (and, before there is a
connection: connect, tls, proxy).
"""

import asyncio
import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound
from conflux.upstream.answer import AnswerReader, Refused
from conflux.upstream.limits import Limits

_WRITE_SLICE = 256 * 1024
_UNASKED = 0.25  # seconds
_NO_LINGER = struct.pack("ii", 1, 0)
_LATE = {
    "request body": "the upstream stopped taking the request",
    "first byte": "no head of an answer in time",
    "idle": "the answer stood still for too long",
    "total": "the whole exchange took too long",
}


class Connection:
    """`closed`: not to be used any more. `lost`: its socket is gone."""

    __slots__ = (
        "_awaits_head",
        "_deadline",
        "_heard",
        "_idle",
        "_limits",
        "_loop",
        "_on_lost",
        "_paused",
        "_poll",
        "_sink",
        "_sink_error",
        "_stage",
        "_timer",
        "_timer_when",
        "_transport",
        "_unsent",
        "_until",
        "_waiter",
        "_write_paused",
        "answered",
        "busy",
        "closed",
        "error",
        "idle_since",
        "lost",
        "reader",
        "sent",
        "used",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limits: Limits, on_lost: "Callable[[Connection], None] | None" = None
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._on_lost = on_lost
        self.reader = AnswerReader(limits)
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._awaits_head = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_when = 0.0
        self._deadline: float | None = None
        self._until = 0.0
        self._stage = ""
        self._unsent: memoryview | None = None
        self._write_paused = False
        self._paused = False
        self._sink: Callable[[bytes], bool] | None = None
        self._sink_error: Exception | None = None
        self._idle = 0.0
        self._heard = 0.0  # when something came last, of a stream
        self.error: TransportError | None = None
        self.closed = False
        self.lost = False
        self.busy = False
        self.used = False
        self.sent = False
        self.answered = False
        self.idle_since = 0.0

    # --- what the client does with it

    async def exchange(self, head: bytes, call: Outbound, now: float, until: float) -> None:
        """Send a request and wait for the head of its answer. `until`: the loop's time when all must be over.
        Whatever goes wrong, the connection is closed."""
        self.sent = self.answered = False
        reader = self.reader
        reader.begin(head_only=call.method == "HEAD")
        transport = self._transport
        if self.closed or transport is None or transport.is_closing():
            self.abort()
            raise self._failure("send", "the connection was closed")
        self.busy = self.sent = self._awaits_head = True
        self._until = until
        body = call.body
        try:
            if len(body) <= _WRITE_SLICE:
                transport.write(head + body)
            else:
                transport.write(head)
                self._unsent = memoryview(body)
                self._pump()
                while self._unsent is not None and self.error is None and not reader.head_done:
                    await self._wait(self._loop.time() + call.idle_timeout, "request body")
                now = self._loop.time()
            while not reader.head_done:
                if self.error is not None:
                    raise self.error
                await self._wait(now + call.first_byte_timeout, "first byte")
        except BaseException:
            self.abort()
            raise
        self._awaits_head = False

    def buffered(self) -> bytes:
        """What has come and was not taken; b"" where nothing has."""
        reader = self.reader
        if not reader.chunks:
            return b""
        data = reader.take()
        if self._paused:
            self._paused = False
            if self._transport is not None and not self.closed:
                self._transport.resume_reading()
        return data

    async def chunk(self, idle: float) -> bytes:
        """The next bytes of the body; b"" at its end."""
        reader = self.reader
        while not reader.chunks:
            if self.error is not None:
                raise self.error
            if reader.done:
                return b""
            await self._wait(self._loop.time() + idle, "idle")
        return self.buffered()

    async def stream(self, idle: float, sink: Callable[[bytes], bool]) -> bool:
        """Hand each arrival to `sink` as it is parsed, with no task woken in between. True when the sink asked for a
        pause by answering False, False at the end of the body."""
        reader = self.reader
        if reader.chunks and not sink(self.buffered()):
            return True
        self._sink, self._idle, self._heard = sink, idle, self._loop.time()
        try:
            while self._sink is not None and not reader.done and self.error is None:
                await self._wait(self._loop.time() + idle, "idle")
        finally:
            paused, self._sink = self._sink is None, None
        failed, self._sink_error = self._sink_error, None
        if failed is not None:
            raise failed
        if paused or (reader.chunks and not sink(self.buffered())):
            return True
        if self.error is not None:
            raise self.error
        return False

    def _pour(self, sink: Callable[[bytes], bool]) -> None:
        self._heard = self._loop.time()
        try:
            if sink(self.reader.take()):
                return
        except Exception as error:  # noqa: BLE001 edge: raised again where the stream is awaited
            self._sink_error = error
        self._sink = None
        self._wake()

    @property
    def reusable(self) -> bool:
        reader = self.reader
        return reader.done and reader.keep_alive and not self.closed and not self._write_paused and self.error is None

    def rest(self) -> None:
        """Back to the pool."""
        self.busy = False
        self.used = True
        self.idle_since = self._loop.time()
        self._deadline = None
        self.reader.chunks.clear()

    def stale(self, now: float) -> bool:
        """Has the upstream said anything since (farewell, most likely)? What the loop has not read yet counts too: it
        would be taken for the answer to the next request. Who was idle for a moment only is not asked: it costs."""
        if self.closed or self._transport is None or self._transport.is_closing():
            return True
        if now - self.idle_since < _UNASKED or not hasattr(select, "poll"):
            return False
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(self._poll.poll(0))

    def abort(self) -> None:
        """Close at once, whatever is under way. Safe at any moment."""
        self._fail("close", "closed by us")
        self._drop()

    def _drop(self) -> None:
        """The socket goes at once: by RST where the request is still on its way out, a FIN would wait behind it."""
        transport = self._transport
        if transport is None:
            return
        if self._write_paused and not self.lost:
            sock = transport.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._unsent = None
        transport.abort()

    # --- waiting

    async def _wait(self, deadline: float, stage: str) -> None:
        deadline = self._allow(deadline, stage)
        if self._timer is None or deadline < self._timer_when:
            self._arm(deadline)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None
            # A reader who is busy elsewhere is held to the total deadline only.
            self._deadline = self._until
            self._stage = "total"

    def _allow(self, deadline: float, stage: str) -> float:
        """Sets what is waited for, and until when: never longer than for all of it."""
        if deadline >= self._until:
            deadline, stage = self._until, "total"
        self._stage = stage
        self._deadline = deadline
        return deadline

    def _arm(self, when: float) -> None:
        """One timer for all deadlines: moved only when the new one is sooner, else it looks again when it fires."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_when = when
        self._timer = self._loop.call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline is None or self.closed or self.reader.done:
            return
        if self._sink is not None:  # what came since moved the deadline
            self._allow(self._heard + self._idle, "idle")
        if self._loop.time() < self._deadline:
            self._arm(self._deadline)
            return
        self._fail(self._stage, _LATE[self._stage], timeout=True)
        self._drop()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _failure(self, stage: str, reason: str, *, timeout: bool = False) -> TransportError:
        return TransportError(stage, reason, sent=self.sent, answered=self.answered, timeout=timeout)

    def _fail(self, stage: str, reason: str, *, timeout: bool = False) -> None:
        """The first failure counts, and none after the answer is whole."""
        if self.error is None and not self.reader.done:
            self.error = self._failure(stage, reason, timeout=timeout)
        self.closed = True
        self._wake()

    def _pump(self) -> None:
        """Write as much of the request's body as the upstream takes."""
        assert self._transport is not None
        while self._unsent is not None and not self._write_paused and not self._transport.is_closing():
            rest = self._unsent
            self._unsent = rest[_WRITE_SLICE:] if len(rest) > _WRITE_SLICE else None
            self._transport.write(rest[:_WRITE_SLICE])

    # --- asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # A TLS layer that reads on while we are held back would lose what it holds when the upstream then closes.
        hold = getattr(transport, "set_read_buffer_limits", None)
        if hold is not None:
            hold(high=1, low=0)

    def arrived(self, data: bytes | memoryview) -> None:
        reader = self.reader
        if not self.busy or reader.done:
            self.abort()  # nobody asked: an answer to nothing would become the answer to the next request
            return
        self.answered = True
        try:
            reader.feed(data)
        except Refused as refusal:
            self._fail("body" if reader.head_done else "head", str(refusal))
            self.abort()
            return
        sink = self._sink
        if sink is not None:
            if reader.chunks:
                self._pour(sink)
            if reader.done:
                self._wake()
            return
        if self._waiter is not None and (reader.chunks or reader.done or (reader.head_done and self._awaits_head)):
            self._wake()
        if reader.size > self._limits.unread_bytes and not (self._paused or reader.done or self._transport is None):
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        if self.busy and self._is_farewell():
            self.reader.end()
        self._ended(None)
        return False

    def _is_farewell(self) -> bool:
        """Did the upstream itself end the stream, so that a body without a length is whole?"""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._ended(exc)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._unsent = None
        self._poll = None
        if self._on_lost is not None:
            self._on_lost(self)

    def _ended(self, exc: Exception | None) -> None:
        stage = "body" if self.reader.head_done else "head" if self.answered else "first byte"
        self._fail(stage, "the upstream closed the connection" if exc is None else f"the connection broke: {exc}")

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._unsent is not None:
            self._pump()
            self._wake()


class PlainConnection(Connection, asyncio.BufferedProtocol):
    """Reads into a buffer that all connections of a client share: nothing stays in it after buffer_updated."""

    __slots__ = ("_scratch",)

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        on_lost: Callable[[Connection], None],
        scratch: memoryview,
    ) -> None:
        super().__init__(loop, limits, on_lost)
        self._scratch = scratch

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._scratch

    def buffer_updated(self, nbytes: int) -> None:
        self.arrived(self._scratch[:nbytes])


class SecureConnection(Connection, asyncio.Protocol):
    """Takes all that TLS has decrypted: what it kept back would be lost when the upstream closes."""

    __slots__ = ()

    data_received = Connection.arrived

    def _is_farewell(self) -> bool:
        """A FIN without TLS's own farewell can come from anybody on the way."""
        assert self._transport is not None
        try:
            return not self._transport.get_extra_info("ssl_object").read(1)
        except ssl.SSLError:
            return False
