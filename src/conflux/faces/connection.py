"""One client connection: uvicorn's, with a short way for the commonest calls, deadlines, and ears for the hang-up.

Law: a request that the table of short ways takes is read, handed over and answered here, with one write per piece and
no ASGI message in between; everything else goes uvicorn's way. One answer at a time and in order: what a client
pipelines meanwhile waits, bounded. A request has a deadline to arrive by and a size; whoever breaks either, or HTTP
itself, is told once and left. A body that nobody will read is not waited for. Whoever asked is called once when the
client leaves. Who reads slowly is waited for; who takes not one byte for minutes is gone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from conflux.faces.patience import Patience
from conflux.faces.short_way import BODILESS, HOSTS, STATUS_LINES, TWO_HOSTS, ShortRequest, announced, staying
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ports import Headers

SCOPE_KEY = "conflux.connection"
_HELD_MOST = 256 * 1024
_HEAD_MOST = 128 * 1024
# What a reader that does not read may hold is this, the piece that went over it, and as much again of its upstream's.
_UNREAD_MOST = 32 * 1024
_HEARD_OUT_MOST = 64 * 1024 * 1024
_HEARD_OUT_SECONDS = 2.0
# Most clients send a head and then its body: a small one is on its way, and asked about only where it is not.
_SMALL = 64 * 1024
_SOON = 0.1
_VERSIONS = ("1.1", "1.0")
_line = b"%b: %b\r\n".__mod__  # of a header and its value
_CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


class ShortWays(Protocol):
    """Who answers on the short way."""

    body_bytes: int
    body_seconds: float
    leaving: bool  # connections are not kept: their clients should find another server

    def takes(self, method: bytes, url: bytes) -> bool: ...

    def short(self, request: ShortRequest, connection: "Connection") -> Coroutine[Any, Any, None]:
        """Answers, by the connection's own methods. Never raises."""
        ...

    async def unwelcome(self, request: ShortRequest) -> GatewayError | None:
        """Why the body of this request need not be waited for, if there is a reason."""
        ...

    def refusal(self, error: GatewayError, request: ShortRequest | None) -> tuple[int, Headers, bytes]:
        """The answer to what is no whole request: status, headers, body."""
        ...


class _Flow(FlowControl):
    """Reads on when it may: not while so much is held that more has no place."""

    full = False

    def resume_reading(self) -> None:
        if not self.full:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    def __init__(self, ways: ShortWays | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = False
        self._ways = ways
        self._watcher: Callable[[], None] | None = None
        self._reading: ShortRequest | None = None  # the short request whose body arrives
        self._parts: list[bytes] = []
        self._size = 0
        self._answering = False  # a short request
        self._task: asyncio.Task[None] | None = None  # which answers them, one after the other
        self._turn: asyncio.Future[ShortRequest | None] | None = None  # what it waits for
        self._next: ShortRequest | None = None  # came before it could wait
        self._keep_alive = True  # after that answer
        self._chunked = True  # that answer, if it is a stream
        self._head = b""  # of that stream: goes out with its first piece, which is at hand, in one write
        self._held = bytearray()  # came while answering
        self._whole = True  # nothing of a request has come that is not all of it
        self._in_head = False
        self._arrived = 0  # bytes of a request that is not whole, at least
        self._begun = 0  # requests in this piece
        self._asked: ShortRequest | None = None  # whether its body is worth waiting for
        self._deaf = False  # refused: what still comes is not read
        self._hosts = 1  # how often the request that was refused names its host
        self._again = False  # asked to upgrade: read again as if it had not
        self._deadline: asyncio.TimerHandle | None = None
        self._late = False  # the deadline is that of a request, no more of the connection
        self._patience: Patience | None = None  # with a client that reads slowly
        self._resting = 0.0  # since when it waits for another request, by the loop's clock; 0: it does not
        self._every: tuple[Any, bytes] = (None, b"")  # the headers of every answer, and as they go out

    # --- reading

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow: _Flow = _Flow(transport)
        transport.set_write_buffer_limits(high=_UNREAD_MOST)
        if self._ways is not None:
            self._deadline = self.loop.call_later(self._ways.body_seconds, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._arrived += len(data)
            if self._arrived > _HEARD_OUT_MOST:
                self.transport.abort()
            return
        if self._answering or self.pipeline:
            self._held += data
            if len(self._held) > _HELD_MOST:
                self.flow.pause_reading()  # its answer first; a hang-up is heard when that is written
                self.flow.full = True
            return
        self._resting = 0.0
        whole, self._begun = self._whole, 0
        self._feed(data)
        if self.pipeline:
            self.flow.resume_reading()  # who does not listen does not hear the hang-up either
        if self._whole:
            if self._deadline is not None and not self._deaf:
                self._cancel_deadline()
        elif not self._deaf:
            if self._begun:
                self._arrived = 0
            # Behind another request it may be any part of the piece: then none is counted.
            self._wait_for_more(len(data) if self._begun <= whole else 0)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._again:
                self._read_again(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._malformed()

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._whole = False
        self._in_head = True
        self._begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it is a trailer, which nobody asked for
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._deaf:
            return
        parser, ways, headers = self.parser, self._ways, self.headers
        if headers:
            names, values = zip(*headers, strict=True)
            self.headers = headers = list(zip(map(bytes.lower, names), values, strict=True))
        version = parser.get_http_version()
        method = parser.get_method()
        if version not in _VERSIONS or method == b"CONNECT":
            raise ValueError("not spoken here")  # becomes a parser's error
        named = dict(headers)
        if b"host" not in named or b"expect" in named or len(named) != len(headers):
            self._look_closer(version)
        if parser.should_upgrade():
            self._again = True
            return
        if (
            ways is None
            or self.expect_100_continue
            or self._answering
            or not ways.takes(method, self.url)
            or (self.cycle is not None and not self.cycle.response_complete)
        ):
            self._set_scene()
            super().on_headers_complete()
            if ways is not None and ways.leaving:
                self.cycle.keep_alive = False
            return
        self._reading = ShortRequest(self.url, headers, b"", method, named)
        self._parts = []
        self._size = 0
        self._chunked = version == "1.1"
        self._keep_alive = self._chunked and not ways.leaving and parser.should_keep_alive()

    def _look_closer(self, version: str) -> None:
        """At the few heads that name no host, or a thing twice, or expect something."""
        hosts = 0
        for name, value in self.headers:
            hosts += name == b"host"
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
        if hosts != 1 and (hosts or version == "1.1"):
            self._hosts = hosts
            raise ValueError("whom it is for is not said, or twice")

    def _set_scene(self) -> None:
        """What uvicorn makes where a request begins: only what goes its way needs a scope."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        scope = cast(dict[str, Any], self.scope)
        scope["headers"] = headers
        scope[SCOPE_KEY] = self

    def on_body(self, body: bytes) -> None:
        if self._deaf:
            return
        if self._reading is None:
            super().on_body(body)
            return
        self._parts.append(body)
        self._size += len(body)
        if self._ways is not None and self._size > self._ways.body_bytes:
            self._too_large()

    def on_message_complete(self) -> None:
        self._whole = True
        if self._deaf or self._again:
            return
        request, self._reading = self._reading, None
        if request is None or self._ways is None:
            super().on_message_complete()
            return
        parts = self._parts
        request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        self._answering = True
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(request)
        else:
            self._next = request
        if self._task is None or self._task.done():
            self._task = self.loop.create_task(self._answer_all(self._ways))
        self.tasks.add(self._task)

    async def _answer_all(self, ways: ShortWays) -> None:
        """Of one connection: a task for each request would cost more than writing its answer does."""
        while not self.lost:
            request, self._next = self._next, None
            if request is None:
                self._turn = self.loop.create_future()
                request = await self._turn
            if request is not None:
                await ways.short(request, self)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._answering:  # it came in one piece with a short request, and waits for its answer
            self.pipeline.appendleft((cycle, app))
        else:
            super()._start_asgi_task(cycle, app)

    def _read_again(self, rest: bytes) -> None:
        """llhttp takes what follows a wish to upgrade for another protocol. It is not: the wish is not granted."""
        self._again = False
        head = staying(self.parser.get_method(), self.url, self.headers)
        parser = self.parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._feed(head + rest)

    # --- what is no request

    def _wait_for_more(self, size: int) -> None:
        """Part of a request has come: is the rest worth waiting for?"""
        ways = self._ways
        if ways is None:
            return
        if not self._late:
            self._give_time(ways)
        self._arrived += size
        request = self._reading
        if request is not None:
            length = announced(self.headers)
            if length > ways.body_bytes:
                self._too_large()
            elif self._asked is not request:
                self._asked = request
                self.loop.call_later(0 if length > _SMALL else _SOON, self._ask, ways, request)
        elif self._in_head and self._arrived > _HEAD_MOST:
            if self._busy():
                self._malformed()
            else:
                self._refuse(GatewayError(Kind.HEAD_TOO_LARGE, f"the head of the request is over {_HEAD_MOST} bytes"))

    def _ask(self, ways: ShortWays, request: ShortRequest) -> None:
        if self._reading is request and not self.lost:  # else it has come by now
            task = self.loop.create_task(self._inquire(ways, request))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _inquire(self, ways: ShortWays, request: ShortRequest) -> None:
        error = await ways.unwelcome(request)
        if error is not None and self._reading is request and not self.lost:
            self._refuse(error)

    def _too_slow(self) -> None:
        self._deadline = None
        if self._busy():
            return  # its time begins again when the answer under way is out
        if self._reading is not None or self._in_head:
            self._refuse(GatewayError(Kind.REQUEST_TIMEOUT, "the request took too long to arrive"))
        else:
            self.transport.close()  # it said nothing, or nobody waits for what it says

    def _give_time(self, ways: ShortWays) -> None:
        self._cancel_deadline()
        self._late = True
        self._deadline = self.loop.call_later(ways.body_seconds, self._too_slow)

    def _busy(self) -> bool:
        """Is an answer under way?"""
        return self._answering or (self.cycle is not None and not self.cycle.response_complete)

    def _too_large(self) -> None:
        most = self._ways.body_bytes if self._ways is not None else 0
        self._refuse(GatewayError(Kind.TOO_LARGE, f"the body is over the limit of {most} bytes"))

    def _malformed(self) -> None:
        """Not HTTP. An answer under way is finished, and none is mixed up with it."""
        self._deaf = True
        self._arrived = 0
        if self._answering:
            self._keep_alive = False
            self.pipeline.clear()
        elif self._busy() and (self._whole or self._in_head or self.pipeline):
            self.cycle.keep_alive = False
        else:
            self._refuse(GatewayError(Kind.INVALID, HOSTS.get(self._hosts, TWO_HOSTS)))

    def _refuse(self, error: GatewayError) -> None:
        if self._ways is None:
            self._deaf = True
            self.send_400_response(error.message)
            return
        self.turn_away(*self._ways.refusal(error, self._reading))

    def turn_away(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer a request that is not whole, and hear the client out for a moment: closing at once, with unread bytes
        behind us, would take the answer away again."""
        self._reading = None
        self._deaf = True
        self._keep_alive = False
        self._parts.clear()
        self._cancel_deadline()
        if self.lost or self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # it waits for the rest of a body
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        self.send_whole(status, headers, body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._arrived = 0
        self._deadline = self.loop.call_later(_HEARD_OUT_SECONDS, self.transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._late = False

    # --- answering

    def head(self, status: int, headers: Headers) -> bytes:
        every = self.server_state.default_headers
        if every is not self._every[0]:  # another list each second: it holds the date
            self._every = every, b"".join(map(_line, every))
        close = b"" if self._keep_alive else b"connection: close\r\n"
        return b"".join((STATUS_LINES[status], self._every[1], *map(_line, headers), close))

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        if not self.lost:
            length = b"content-length: %d\r\n\r\n" % len(body) if status not in BODILESS else b"\r\n"
            self.transport.write(self.head(status, headers) + length + body)

    def send_head(self, status: int, headers: Headers) -> None:
        if not self.lost:
            self._head = self.head(status, headers) + (_CHUNKED if self._chunked else b"\r\n")

    def push(self, data: bytes) -> bool:
        """Send a piece of a stream. False where the client reads slower than we write."""
        if data and not self.lost:
            framed = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
            self.transport.write(self._with_head(framed) if self._head else framed)
        return not self.flow.write_paused or self.lost

    def send_last(self, data: bytes) -> None:
        if not self.lost:
            end = b"0\r\n\r\n"
            if self._chunked:
                data = b"%x\r\n%b\r\n%b" % (len(data), data, end) if data else end
            self.transport.write(self._with_head(data))

    def _with_head(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + data

    async def drained(self) -> None:
        if self.flow.write_paused and not self.lost:
            await self.flow.drain()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._patience = Patience(self.loop, self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._lose_patience()

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.end()
            self._patience = None

    def finished(self) -> None:
        """The answer is out: the connection takes its next request, or closes."""
        self._answering = False
        self._watcher = None
        if self._task is not None:
            self.tasks.discard(self._task)  # it waits from now on
        if self.lost:
            return
        if not self._keep_alive:
            self.transport.close()
            return
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but for its timer: made and dropped for every request it would cost more than the answer's
        head. Ours looks, when its time is up, since when the connection rests."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._resting = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self.timeout_keep_alive_handler()
        if not self._whole and self._ways is not None and not self._deaf and not self.lost:
            self._give_time(self._ways)
        if self._held and not self.pipeline and not self.lost:
            held = bytes(self._held)
            self._held.clear()
            self.flow.full = False
            self.flow.resume_reading()
            self.data_received(held)

    def timeout_keep_alive_handler(self) -> None:
        """Closes what has rested for too long; looks again when it may have. What works is looked at when it rests."""
        self.timeout_keep_alive_task = None
        if self._resting:
            left = self._resting + self.timeout_keep_alive - self.loop.time()
            if left > 0:
                self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
            else:
                self.transport.close()

    # --- the end of it

    def watch(self, call: Callable[[], None] | None) -> None:
        """Whom to call when the client leaves; None: nobody any more."""
        self._watcher = call

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._cancel_deadline()
        self._lose_patience()
        self.lost = True
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(None)
        call, self._watcher = self._watcher, None
        if call is not None:
            call()

    def shutdown(self) -> None:
        if self._answering:
            self._keep_alive = False
        elif self._deaf and not self._busy():
            self.transport.abort()
        else:
            super().shutdown()
