"""One client connection, byte by byte: order, deadlines, sizes, hang-ups."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast
from unittest.mock import Mock

import pytest
from uvicorn.server import ServerState

from conflux.dialects.openai_errors import status_of
from conflux.faces.connection import Connection
from conflux.faces.patience import untaken
from conflux.faces.server import make_server
from conflux.faces.short_way import ShortRequest
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ports import Headers
from tests.system.serving import Answer
from tests.system.wire import Wire, happens, wire

TEXT = (b"content-type", b"text/plain")
LIMIT = 1000


class Ways:
    """Answers /short by what the body says; notes what it saw."""

    body_bytes = LIMIT
    body_seconds = 0.3
    leaving = False

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.gone = 0
        self.asked = 0
        self.go = asyncio.Event()
        self.connections: list[Connection] = []

    def takes(self, method: bytes, url: bytes) -> bool:
        return method == b"POST" and url == b"/short"

    async def short(self, request: ShortRequest, connection: Connection) -> None:
        self.seen.append(request.body)
        self.connections.append(connection)
        connection.watch(self._left)
        word, _, rest = request.body.partition(b" ")
        if word == b"wait":
            await self.go.wait()
        if word == b"stream":
            connection.send_head(200, [TEXT])
            for _ in range(int(rest)):
                connection.push(b"x" * 1000)
                await connection.drained()
            connection.send_last(b"end")
        else:
            connection.send_whole(200, [TEXT], b"short " + request.body)
        connection.finished()

    async def unwelcome(self, request: ShortRequest) -> GatewayError | None:
        self.asked += 1
        return GatewayError(Kind.UNAUTHENTICATED, "bad key") if (b"x-api-key", b"bad") in request.headers else None

    def refusal(self, error: GatewayError, request: ShortRequest | None) -> tuple[int, Headers, bytes]:
        return status_of(error.kind), [TEXT], error.message.encode()

    def _left(self) -> None:
        self.gone += 1


async def long_way(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    if message["type"] == "http.disconnect":
        return
    body = f"long {scope['path']} ".encode() + body + message["body"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def served(ways: Ways | None) -> AsyncIterator[int]:
    """The server's protocol without its slow start and stop."""
    config = make_server(long_way, graceful=1, ways=ways).config
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    protocol = cast(Any, config.http_protocol_class)
    listener = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}, _loop=loop), "127.0.0.1", 0
    )
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for connection in cast(set[Connection], set(state.connections)):
            connection.transport.abort()
        if ways is not None:
            ways.go.set()
        while state.connections or state.tasks:
            await asyncio.sleep(0)


@pytest.fixture
async def ways() -> Ways:
    return Ways()


@pytest.fixture
async def port(ways: Ways) -> AsyncIterator[int]:
    async with served(ways) as found:
        yield found


def post(body: bytes, *lines: bytes, path: bytes = b"/short", version: bytes = b"1.1") -> bytes:
    length = b"content-length: %d" % len(body)
    return b"\r\n".join((b"POST %b HTTP/%b" % (path, version), b"host: a", length, *lines, b"", body))


GET = b"GET /other HTTP/1.1\r\nhost: a\r\n\r\n"


async def answers(one: Wire, many: int) -> list[bytes]:
    return [(await one.answer()).body for _ in range(many)]


# --- ways and order


async def test_both_ways_on_one_connection(port: int) -> None:
    async with wire(port) as one:
        for data, wanted in ((post(b"a"), b"short a"), (GET, b"long /other "), (post(b"b"), b"short b")):
            await one.send(data)
            assert await answers(one, 1) == [wanted]


@pytest.mark.parametrize("line", [b"expect: 100-continue", b"expect: 100-Continue"])
async def test_what_needs_more_than_the_short_way_goes_the_long_one(port: int, line: bytes) -> None:
    async with wire(port) as one:
        await one.send(post(b"", line).replace(b"length: 0", b"length: 2"))
        await one.until(b"100 Continue")
        await one.send(b"hi")
        assert await answers(one, 1) == [b"long /short hi"]


async def test_without_short_ways_all_go_the_long_one() -> None:
    async with served(None) as port, wire(port) as one:
        await one.send(post(b"a") + b"bad")
        (found,) = [answer for answer in await one.rest() if answer.status == 200]
        assert found.body == b"long /short a"


@pytest.mark.parametrize("piece", [10_000, 1, 7, 61])
async def test_answers_come_in_the_order_of_the_questions(port: int, ways: Ways, piece: int) -> None:
    data = post(b"stream 2") + post(b"a") + GET + post(b"b") + GET + GET + post(b"c")
    async with wire(port) as one:
        for start in range(0, len(data), piece):
            await one.send(data[start : start + piece])
            if piece < 10_000:
                await asyncio.sleep(0)
        found = await answers(one, 7)
    assert found[0] == b"x" * 2000 + b"end"
    assert [body.split()[-1] for body in found[1:]] == [b"a", b"/other", b"b", b"/other", b"/other", b"c"]


async def test_what_waits_is_answered_when_its_turn_comes(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"wait") + post(b"b"))
        await happens(lambda: ways.seen == [b"wait"], "the first is being answered")
        await one.send(GET + post(b"c"))
        ways.go.set()
        assert [body.split()[-1] for body in await answers(one, 4)] == [b"wait", b"b", b"/other", b"c"]


async def test_what_comes_too_early_waits_outside_and_loses_nothing(port: int, ways: Ways) -> None:
    """Far more than we hold; and what waits in its turn for an answer does not let more in either."""
    many = 40_000
    async with wire(port) as one:
        await one.send(post(b"wait"))
        await happens(lambda: bool(ways.seen), "the first is being answered")
        connection = ways.connections[0]
        sending = asyncio.create_task(one.send(GET * many))
        await happens(lambda: connection.flow.read_paused, "it is held back")
        assert len(connection._held) <= 1024 * 1024
        ways.go.set()
        assert await answers(one, 1) == [b"short wait"]
        held = 0
        for _ in range(many):
            assert (await one.answer()).body == b"long /other "
            held = max(held, len(connection._held))
        assert held <= 1024 * 1024
        await sending
        await one.send(post(b"last"))
        assert await answers(one, 1) == [b"short last"]


async def test_a_long_request_behind_a_running_answer(port: int, ways: Ways) -> None:
    body = b"x" * 1_500_000
    async with wire(port) as one:
        await one.send(post(b"wait"))
        await happens(lambda: bool(ways.seen), "the first is being answered")
        sending = asyncio.create_task(one.send(post(body, path=b"/other")))
        await happens(lambda: ways.connections[0].flow.read_paused, "it is held back")
        ways.go.set()
        assert await answers(one, 2) == [b"short wait", b"long /other " + body]
        await sending


# --- bodies that nobody will read


async def test_a_body_is_not_waited_for_where_its_head_is_bad(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"x" * 500, b"x-api-key: bad")[:-400])
        refused(await one.rest(), 401, "bad key")
    assert (ways.seen, ways.asked) == ([], 1)


async def test_one_that_goes_on_sending_reads_its_answer_first(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"x" * 900, b"x-api-key: bad")[:-800])
        await one.until(b"bad key")
        for _ in range(8):
            await one.send(b"x" * 100)
        assert one.received.count(b"HTTP/1.1") == 1 and await one.closed()


async def test_a_small_request_that_is_on_its_way_is_not_asked_about(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"a", b"x-api-key: bad"))
        assert (await one.answer()).status == 200
        await one.send(post(b"b" * 100, b"x-api-key: bad")[:-99])
        for _ in range(99):
            await one.send(b"b")
        assert (await one.answer()).status == 200
    assert ways.asked == 0


async def test_a_large_body_is_asked_about_at_once(port: int, ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflux.faces.connection._SOON", 3600.0)
    monkeypatch.setattr("conflux.faces.connection._SMALL", 500)
    async with wire(port) as one:
        await one.send(post(b"x" * 800, b"x-api-key: bad")[:-700])
        refused(await one.rest(), 401, "bad key")


# --- the older protocol, closing, upgrading


@pytest.mark.parametrize("lines", [(), (b"connection: keep-alive",)])
async def test_the_older_protocol_knows_no_chunks_and_closes(port: int, lines: tuple[bytes, ...]) -> None:
    for body, wanted in ((b"a", b"short a"), (b"stream 2", b"x" * 2000 + b"end")):
        async with wire(port) as one:
            await one.send(post(body, *lines, version=b"1.0"))
            (found,) = await one.rest()
            assert found.body == wanted and found.headers["connection"] == "close"
            assert "transfer-encoding" not in found.headers


async def test_a_wish_to_close_is_kept_to(port: int) -> None:
    async with wire(port) as one:
        await one.send(post(b"a", b"connection: close"))
        (found,) = await one.rest()
        assert found.headers["connection"] == "close"


async def test_a_server_that_leaves_keeps_no_connection(port: int, ways: Ways) -> None:
    for data in (post(b"a"), GET):
        ways.leaving = False
        async with wire(port) as one:
            await one.send(data)
            assert "connection" not in (await one.answer()).headers
            ways.leaving = True
            await one.send(data)
            (found,) = await one.rest()
            assert found.headers["connection"] == "close"


async def test_a_wish_to_upgrade_is_passed_over(port: int, ways: Ways) -> None:
    """Some clients ask for HTTP/2 in passing, with a body behind; they must not lose it."""
    lines = (b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQAoAAA")
    chunked = post(b"", *lines).replace(b"content-length: 0", b"transfer-encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"
    async with wire(port) as one:
        await one.send(post(b"a", *lines) + post(b"b"))
        assert [body.split()[-1] for body in await answers(one, 2)] == [b"a", b"b"]
        await one.send(chunked[:-6])
        await one.send(chunked[-6:])
        assert await answers(one, 1) == [b"short abc"]
        await one.send(GET.replace(b"host: a", b"host: a\r\n" + b"\r\n".join(lines)) + GET)
        assert await answers(one, 2) == [b"long /other "] * 2
        await one.send(post(b"c", b"connection: close, upgrade", b"upgrade: websocket"))
        assert [found.body for found in await one.rest()] == [b"short c"]


# --- too much, too slow, no HTTP


def refused(found: list[Answer], status: int, word: str) -> None:
    assert [answer.status for answer in found] == [status]
    assert word in found[0].body.decode() and found[0].headers["connection"] == "close"


@pytest.mark.parametrize("sent", [0, 1, LIMIT, 4 * LIMIT])
async def test_a_length_over_the_limit_is_refused_unheard(port: int, ways: Ways, sent: int) -> None:
    async with wire(port) as one:
        await one.send(post(b"").replace(b"length: 0", b"length: 5000") + b"x" * sent)
        refused(await one.rest(), 413, "1000 bytes")
    assert ways.seen == []


async def test_chunks_over_the_limit_are_refused_when_they_are(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"").replace(b"content-length: 0", b"transfer-encoding: chunked"))
        for _ in range(9):
            await one.send(b"64\r\n" + b"x" * 100 + b"\r\n")
        await one.send(b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n" + post(b"smuggled"))
        refused(await one.rest(), 413, "1000 bytes")
    assert ways.seen == []


async def test_exactly_the_limit_is_taken(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"x" * LIMIT))
        assert (await one.answer()).status == 200


HALVES = {
    "nothing": b"",
    "half a line": b"POST /sh",
    "half a head": b"POST /short HTTP/1.1\r\nho",
    "half a body": post(b"abc")[:-1],
}


@pytest.mark.parametrize(
    ("half", "after"),
    [(half, after) for half in HALVES.values() for after in (b"", GET, post(b"a")) if half or not after],
)
async def test_what_does_not_come_in_time_is_not_waited_for(port: int, ways: Ways, half: bytes, after: bytes) -> None:
    async with wire(port) as one:
        if after:
            await one.send(after)
            assert (await one.answer()).status == 200
        await one.send(half)
        found = await one.rest()
        if half:
            refused(found, 408, "too long")
        else:
            assert found == []
    assert b"abc" not in ways.seen


async def test_time_runs_from_a_requests_beginning_and_only_then(port: int) -> None:
    async with wire(port) as one:
        for _ in range(3):
            await one.send(post(b"a")[:-1])
            await asyncio.sleep(0.15)
            await one.send(b"a")
            assert (await one.answer()).status == 200
            await asyncio.sleep(0.15)


async def test_half_a_request_behind_a_long_answer_has_its_own_time(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"wait") + GET[:9])
        await asyncio.sleep(2 * Ways.body_seconds)
        ways.go.set()
        assert await answers(one, 1) == [b"short wait"]
        await one.send(GET[9:])
        assert await answers(one, 1) == [b"long /other "]


async def test_a_head_without_end_is_refused(port: int) -> None:
    async with wire(port) as one:
        await one.send(b"GET / HTTP/1.1\r\n")
        for _ in range(200):
            await one.send(b"x-a: " + b"y" * 1000 + b"\r\n")
        refused(await one.rest(), 431, "head")


NO_HTTP = [b"hello\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n", b"GET /\r\n\r\n",
           post(b"a", b"transfer-encoding: chunked"), b"\x16\x03\x01\x00\x00", post(b"a", b"x-a : b")]  # fmt: skip


HOSTLESS = [(b"GET /other HTTP/1.1\r\n\r\n", "none"), (post(b"a").replace(b"host: a\r\n", b""), "none"),
            (post(b"a", b"Host: b"), "several"), (post(b"a", b"host: a", version=b"1.0"), "several")]  # fmt: skip


@pytest.mark.parametrize(("data", "word"), HOSTLESS)
async def test_a_request_says_once_whom_it_is_for(port: int, ways: Ways, data: bytes, word: str) -> None:
    async with wire(port) as one:
        await one.send(data + post(b"smuggled"))
        refused(await one.rest(), 400, word)
    assert ways.seen == []


async def test_the_older_protocol_need_not_say_it(port: int) -> None:
    async with wire(port) as one:
        await one.send(post(b"a", version=b"1.0").replace(b"host: a\r\n", b""))
        assert [found.status for found in await one.rest()] == [200]


@pytest.mark.parametrize("data", NO_HTTP, ids=lambda data: repr(data[:24]))
async def test_what_is_no_http_is_told_so_once(port: int, ways: Ways, data: bytes) -> None:
    async with wire(port) as one:
        await one.send(data + GET + post(b"smuggled"))
        refused(await one.rest(), 400, "HTTP/1.1")
    assert ways.seen == []


@pytest.mark.parametrize("first", [post(b"wait"), post(b"wait") + GET, GET], ids=["short", "short and long", "long"])
async def test_an_answer_under_way_is_not_mixed_with_a_refusal(port: int, ways: Ways, first: bytes) -> None:
    async with wire(port) as one:
        await one.send(first + b"nonsense\r\n\r\n" + post(b"smuggled"))
        ways.go.set()
        found = await one.rest()
    assert [answer.status for answer in found] == [200]
    assert found[0].body in (b"short wait", b"long /other ")
    assert b"smuggled" not in ways.seen


async def test_a_body_that_breaks_on_the_long_way_is_refused_once(port: int) -> None:
    async with wire(port) as one:
        await one.send(b"POST /other HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await one.send(b"zz\r\n" + GET)
        refused(await one.rest(), 400, "HTTP/1.1")


# --- leaving, and slow readers


async def test_whoever_watches_is_told_once_that_the_client_left(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"wait"))
        await happens(lambda: bool(ways.seen), "it is being answered")
        assert ways.gone == 0
    await happens(lambda: ways.gone == 1, "it is told")
    assert ways.connections[0].lost
    ways.go.set()
    await asyncio.sleep(0)
    assert ways.gone == 1


async def test_nobody_is_told_of_a_client_that_leaves_after_its_answer(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"a"))
        await one.answer()
    await happens(lambda: ways.connections[0].lost, "it has left")
    assert ways.gone == 0


async def test_the_head_of_a_stream_goes_out_with_its_first_piece(port: int, ways: Ways) -> None:
    async with wire(port) as one:
        await one.send(post(b"a"))
        await one.answer()
        ways.connections[0].transport = spy = Mock(wraps=ways.connections[0].transport)
        await one.send(post(b"stream 1"))
        await one.answer()
    assert [call.args[0].count(b"xx") for call in spy.write.call_args_list] == [500, 0]


async def test_a_slow_reader_is_waited_for(port: int, ways: Ways) -> None:
    async with wire(port, small=True) as one:
        await one.send(post(b"stream 6000"))
        await happens(lambda: bool(ways.connections), "it is being answered")
        await happens(lambda: ways.connections[0].flow.write_paused, "nobody reads")
        # with its upstream's share, 256 KiB at most (tests/upstream/test_flow.py)
        assert ways.connections[0].transport.get_write_buffer_size() <= 96 * 1024
        assert len((await one.answer()).body) == 6_000_003


async def paused(ways: Ways) -> Connection:
    await happens(lambda: bool(ways.connections), "it is being answered")
    (connection,) = ways.connections
    await happens(lambda: connection.flow.write_paused, "nobody reads")
    return connection


async def test_who_takes_nothing_at_all_is_gone(port: int, ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflux.faces.patience.SECONDS", 0.05)
    async with wire(port, small=True) as one:
        await one.send(post(b"stream 6000"))
        connection = await paused(ways)
        await happens(lambda: connection.lost, "it is not waited for")
        assert ways.gone == 1


async def test_who_takes_a_little_has_time_again(port: int, ways: Ways) -> None:
    async with wire(port, small=True) as one:
        await one.send(post(b"stream 6000"))
        connection = await paused(ways)
        patience = connection._patience
        assert patience is not None
        patience._untaken = untaken(connection.transport) + 1
        assert patience._untaken > connection.transport.get_write_buffer_size()  # the system keeps some of it
        patience._look()
        assert not connection.transport.is_closing()
        assert len((await one.answer()).body) == 6_000_003
        assert connection._patience is None
