"""One connection to an upstream: an answer at a time, parsed by llhttp.

Law: one timer, one waiter, one buffer. Whatever ends the connection is kept as one TransportError and raised to
whoever waits next. Bytes that nobody asked for close it. A reader that does not read stops the sender: reading is
paused while more than HIGH_WATER bytes wait.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Headers

HIGH_WATER = 64 * 1024
HEAD_BYTES_MOST = 64 * 1024
HEADERS_MOST = 200
INTERIM_MOST = 10
_WRITE_SLICE = 256 * 1024


class Connection(asyncio.Protocol):
    __slots__ = (
        "_chunks",
        "_deadline",
        "_drained",
        "_framed",
        "_head_bytes",
        "_idle",
        "_interim",
        "_loop",
        "_paused",
        "_sink",
        "_sink_error",
        "_size",
        "_timeout_stage",
        "_timer",
        "_timer_when",
        "_total_deadline",
        "_transport",
        "_waiter",
        "_write_paused",
        "answered",
        "busy",
        "closed",
        "done",
        "error",
        "head_done",
        "headers",
        "idle_since",
        "keep_alive",
        "no_body",
        "on_closed",
        "parser",
        "sent",
        "status",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self.parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._write_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_when = 0.0
        self._deadline: float | None = None
        self._timeout_stage = ""
        self._total_deadline = 0.0
        self._chunks: list[bytes] = []
        self._size = 0
        self._paused = False
        self._sink: Callable[[bytes], bool] | None = None
        self._sink_error: Exception | None = None
        self._idle = 0.0
        self.closed = False
        self.busy = False
        self.idle_since = 0.0
        self.on_closed: object = None
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.head_done = False
        self.done = False
        self.keep_alive = True
        self.no_body = False
        self._framed = False
        self.sent = False
        self.answered = False
        self.error: TransportError | None = None
        self._head_bytes = 0
        self._interim = 0
        self._chunks.clear()
        self._size = 0

    # --- what the client does with it

    async def exchange(self, head: bytes, body: bytes, *, first_byte: float, total: float, head_only: bool) -> None:
        """Send a request and wait for the head of its answer."""
        self._reset()
        self.busy = True
        self.no_body = head_only
        now = self._loop.time()
        self._total_deadline = now + total
        if self.closed or self._transport is None:
            raise self._failure("send", "the connection was closed")
        self.sent = True
        if len(body) <= _WRITE_SLICE:
            self._transport.write(head + body if body else head)
        else:
            await self._write_slowly(head, body, now + first_byte)
        while not self.head_done:
            if self.error is not None:
                raise self.error
            await self._wait(first_byte, "first byte")

    async def _write_slowly(self, head: bytes, body: bytes, deadline: float) -> None:
        """A large body in slices, as fast as the upstream takes it; an answer that comes early ends it."""
        assert self._transport is not None
        self._transport.write(head)
        view = memoryview(body)
        for start in range(0, len(body), _WRITE_SLICE):
            while self._write_paused and self.error is None and not self.head_done:
                self._drained = self._waiter = self._loop.create_future()
                self._arm(min(deadline, self._total_deadline), "request body")
                try:
                    await self._waiter
                finally:
                    self._drained = self._waiter = None
                    self._deadline = None
            if self.error is not None:
                raise self.error
            if self.head_done:
                self.keep_alive = False  # the rest of the request was never sent
                return
            self._transport.write(view[start : start + _WRITE_SLICE])

    async def chunk(self, idle: float) -> bytes:
        """The next bytes of the body; b"" at its end."""
        while not self._chunks:
            if self.error is not None:
                raise self.error
            if self.done:
                return b""
            await self._wait(idle, "body")
        return self._taken()

    def _taken(self) -> bytes:
        """What has arrived and was not handed on; the upstream may go on sending."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            if self._transport is not None and not self.closed:
                self._transport.resume_reading()
        return data

    async def stream(self, idle: float, sink: Callable[[bytes], bool]) -> bool:
        """Hand each arrival to `sink` as it is parsed, with no task woken in between. True when the sink asked for a
        pause by answering False, False at the end of the body."""
        if self._chunks and not sink(self._taken()):
            return True
        self._sink, self._idle = sink, idle
        try:
            while self._sink is not None and not self.done and self.error is None:
                await self._wait(idle, "body")
        finally:
            paused, self._sink = self._sink is None, None
        failed, self._sink_error = self._sink_error, None
        if failed is not None:
            raise failed
        if paused:
            return True
        if self.error is not None:
            raise self.error
        return False

    def _pour(self, sink: Callable[[bytes], bool]) -> None:
        self._deadline = min(self._loop.time() + self._idle, self._total_deadline)
        try:
            if sink(self._taken()):
                return
        except Exception as error:  # noqa: BLE001 edge: raised again where the stream is awaited
            self._sink_error = error
        self._sink = None
        self._wake()

    @property
    def reusable(self) -> bool:
        return self.done and self.keep_alive and not self.closed and self.error is None and not self._write_paused

    def rest(self, now: float) -> None:
        """Back to the pool."""
        self.busy = False
        self.idle_since = now
        self._deadline = None
        self._chunks.clear()
        self._size = 0

    def abort(self) -> None:
        """Close at once, whatever is under way. Safe at any moment."""
        self._end(self._failure("close", "closed by us") if self.error is None else self.error)
        if self._transport is not None:
            self._transport.abort()

    # --- waiting

    async def _wait(self, seconds: float, stage: str) -> None:
        self._waiter = self._loop.create_future()
        self._arm(min(self._loop.time() + seconds, self._total_deadline), stage)
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None
            self._deadline = None

    def _arm(self, deadline: float, stage: str) -> None:
        """One timer for all deadlines: it is moved only when the new one is sooner, and looks again when it fires."""
        self._deadline = deadline
        self._timeout_stage = stage
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._on_timer)
            self._timer_when = deadline
        elif deadline < self._timer_when:
            self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._on_timer)
            self._timer_when = deadline

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline is None or self.closed:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)
            self._timer_when = self._deadline
            return
        stage = "total" if self._deadline >= self._total_deadline else self._timeout_stage
        self._end(self._failure(stage, "no answer in time", timeout=True))
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _failure(self, stage: str, reason: str, *, timeout: bool = False) -> TransportError:
        return TransportError(stage, reason, sent=self.sent, answered=self.answered, timeout=timeout)

    def _end(self, error: TransportError) -> None:
        if self.error is None and not self.done:
            self.error = error
        self.keep_alive = False
        self._wake()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self.busy or self.done:
            # Nobody asked: an answer to nothing would become the answer to the next request.
            self.abort()
            return
        self.answered = True
        if not self.head_done:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            inner = error.__context__
            reason = str(inner) if isinstance(inner, _Refused) else f"not HTTP/1.1: {error}"
            if isinstance(error, httptools.HttpParserUpgrade):
                reason = "the upstream switched protocols"
            self._end(self._failure("body" if self.head_done else "head", reason))
            self.abort()
            return
        if not self.head_done and self._head_bytes > HEAD_BYTES_MOST:
            self._end(self._failure("head", f"a head of more than {HEAD_BYTES_MOST} bytes"))
            self.abort()
            return
        if self._size > HIGH_WATER and not self._paused and not self.done and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        if self._sink is None:
            self._wake()
            return
        if self._chunks:
            self._pour(self._sink)
        if self.done:
            self._wake()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.busy and not self.done:
            if self.head_done and not self._framed and exc is None and self.error is None:
                self.done = True  # a body without a length ends with the connection
            elif self.error is None:
                stage = "body" if self.head_done else "head"
                reason = "the upstream closed the connection" if exc is None else f"connection lost: {exc}"
                self.error = self._failure(stage, reason)
        self.keep_alive = False
        self._wake()
        call = self.on_closed
        if callable(call):
            call(self)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        if self.done:
            raise _Refused("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_done:
            return  # a trailer: dropped
        name = name.lower()
        if name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower()):
            if self._framed:
                raise _Refused("two lengths in one answer")
            self._framed = True
        self.headers.append((name, value))
        if len(self.headers) > HEADERS_MOST:
            raise _Refused(f"more than {HEADERS_MOST} headers")

    def on_headers_complete(self) -> None:
        if self._head_bytes > 2 * HEAD_BYTES_MOST and sum(len(n) + len(v) for n, v in self.headers) > HEAD_BYTES_MOST:
            raise _Refused(f"a head of more than {HEAD_BYTES_MOST} bytes")
        status = self.parser.get_status_code()
        if 100 <= status < 200:
            if status == 101:
                raise _Refused("the upstream switched protocols")
            self._interim += 1
            if self._interim > INTERIM_MOST:
                raise _Refused(f"more than {INTERIM_MOST} interim answers")
            self.headers = []
            self._framed = False
            self._head_bytes = 0
            return
        self.status = status
        self.head_done = True
        if not self.parser.should_keep_alive():
            self.keep_alive = False
        if self.no_body:
            # HEAD: llhttp cannot be told that no body follows, so the connection serves once.
            self.done = True
            self.keep_alive = False

    def on_body(self, data: bytes) -> None:
        if self.done:
            raise _Refused("a body where none belongs")
        self._chunks.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        if self.head_done:
            self.done = True


class _Refused(Exception):
    """An answer that llhttp would take and we do not."""
