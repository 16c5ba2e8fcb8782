"""Sending and receiving as a caller sees it, and the one rule by which a request is sent a second time."""

import asyncio
from pathlib import Path

import pytest

from conflux.neutral.errors import TransportError
from conflux.upstream.client import Client, Limits
from tests.upstream.misbehave import Peer, answering, once, serving

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


async def test_a_request_goes_out_exactly_as_given_and_the_answer_comes_back_so(client: Client, call) -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(b"HTTP/1.1 299 Odd\r\nX-Twice: 1\r\nx-twice:  2 \r\nContent-Length: 5\r\n\r\nhello")

    async with serving(script) as server:
        answer = await client.send(
            call(server.origin, path="/a?b=%20", headers=[(b"X-Mixed", b"a, b")], head=b"x-line: 1\r\n", body=b"xyz")
        )
        assert answer.status == 299
        assert answer.headers == [(b"x-twice", b"1"), (b"x-twice", b"2"), (b"content-length", b"5")]
        assert answer.header(b"x-twice") == b"1"
        assert answer.header(b"x-none") is None
        assert await answer.read() == b"hello"
        assert await answer.chunk() == b""
        answer.close()
        answer.close()
    assert seen[0].head == (
        b"POST /a?b=%20 HTTP/1.1\r\nhost: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
        b"accept-encoding: identity\r\nconnection: keep-alive\r\n"
        b"x-line: 1\r\nX-Mixed: a, b\r\ncontent-length: 3\r\n\r\n"
    )
    assert seen[0].body == b"xyz"


async def test_an_answer_in_another_coding_is_passed_on_untouched(client: Client, call) -> None:
    packed = b"\x1f\x8b\x08\x00"
    head = (
        b"HTTP/1.1 302 Found\r\nlocation: /x\r\nset-cookie: a=b\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n"
    )
    async with serving(answering(head + packed)) as server:
        answer = await client.send(call(server.origin))
        assert (answer.status, await answer.read()) == (302, packed)
        assert answer.header(b"set-cookie") == b"a=b"
        answer.close()
        again = await client.send(call(server.origin))
        again.close()
        assert server.connections == 1


async def test_one_connection_serves_many_requests(client: Client, call) -> None:
    async with serving(answering(OK)) as server:
        for _ in range(20):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b"hello"
            answer.close()
        assert server.connections == 1
        found = client.stats()[server.origin]
        assert (found.open, found.idle, found.in_use, found.waiting) == (1, 1, 0, 0)


async def test_an_answer_read_to_its_end_frees_its_connection_before_it_is_closed(client: Client, call) -> None:
    async with serving(answering(OK)) as server:
        first = await client.send(call(server.origin))
        assert await first.chunk() == b"hello"
        second = await client.send(call(server.origin))
        assert await second.read() == b"hello"
        first.close()
        second.close()
        assert server.connections == 1


async def test_closing_an_answer_early_closes_its_connection(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        assert await answer.chunk() == b"abc"
        answer.close()
        await server.all_closed()
        for read in (answer.read, answer.chunk, lambda: answer.stream(lambda data: True)):
            with pytest.raises(TransportError) as caught:
                await read()
            assert caught.value.stage == "close"


@pytest.mark.parametrize("kept", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n", b"HTTP/1.0 200 OK\r\n"])
async def test_a_connection_the_server_will_close_is_not_kept(client: Client, call, kept: bytes) -> None:
    async with serving(answering(kept + b"content-length: 2\r\n\r\nab")) as server:
        for _ in range(2):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b"ab"
            answer.close()
        assert server.connections == 2


async def test_http_1_0_may_ask_to_be_kept(client: Client, call) -> None:
    async with serving(
        answering(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nab")
    ) as server:
        for _ in range(2):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b"ab"
            answer.close()
        assert server.connections == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_an_answer_that_has_no_body_whatever_its_length_says(client: Client, call, status: bytes) -> None:
    async with serving(answering(b"HTTP/1.1 " + status + b"\r\ncontent-length: 5\r\n\r\n")) as server:
        for _ in range(2):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b""
            answer.close()
        assert server.connections == 1


async def test_the_answer_to_head_has_a_length_and_no_body(client: Client, call) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")) as server:
        for _ in range(2):
            answer = await client.send(call(server.origin, method="HEAD", body=b""))
            assert (answer.header(b"content-length"), await answer.read()) == (b"5", b"")
            answer.close()
        assert server.connections == 2  # a parser that waits for five bytes is not used again


async def test_a_get_has_no_length(client: Client, call) -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.head())
        await peer.send(OK)

    async with serving(script) as server:
        answer = await client.send(call(server.origin, method="GET", body=b""))
        assert await answer.read() == b"hello"
        answer.close()
    assert b"content-length" not in seen[0] and seen[0].startswith(b"GET /v1 HTTP/1.1\r\n")


async def test_a_unix_socket(client: Client, call, tmp_path: Path) -> None:
    async with serving(answering(OK), unix=tmp_path / "up.sock") as server:
        for _ in range(2):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b"hello"
            answer.close()
        assert server.connections == 1
    with pytest.raises(TransportError) as caught:
        await client.send(call(f"unix:{tmp_path}/none.sock"))
    assert (caught.value.stage, caught.value.sent) == ("connect", False)


async def test_a_body_over_the_limit_is_an_error_and_closes(client: Client, call) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300000)) as server:
        small = Client(Limits(body_bytes=1_000))
        answer = await small.send(call(server.origin))
        with pytest.raises(TransportError, match="1000") as caught:
            await answer.read()
        assert (caught.value.stage, caught.value.timeout) == ("size", False)
        answer.close()
        await server.all_closed()
        await small.aclose()
        answer = await client.send(call(server.origin))
        assert len(await answer.read()) == 300_000
        answer.close()


async def test_whether_a_place_can_be_reached(client: Client) -> None:
    async with serving(answering(OK)) as server:
        await client.reach(server.origin, None, 5.0)
        assert server.connections == 1
        await server.all_closed()
        origin = server.origin
    with pytest.raises(TransportError) as caught:
        await client.reach(origin, None, 5.0)
    assert caught.value.stage == "connect"


async def test_what_cannot_be_sent_is_refused_before_a_socket_is_opened(client: Client, call) -> None:
    async with serving(answering(OK)) as server:
        for wrong in ({"headers": [(b"x", b"1\r\ny: 2")]}, {"path": "/a b"}, {"head": b"te: trailers\r\n"}):
            with pytest.raises(ValueError):
                await client.send(call(server.origin, **wrong))
        assert server.connections == 0


# --- sent a second time, or not


def hanging_up(on: range, how: str, *, before: bytes = b"") -> object:
    """Serves one request on each connection; on the numbered ones the second request gets `before` and a hang-up."""

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number not in on:
            while True:
                await peer.send(OK)
                await peer.request()
        await peer.send(OK)
        await peer.request()
        if before:
            await peer.send(before)
        if how == "reset":
            peer.reset()

    return script


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_stale_connection_is_replaced_once_unseen(client: Client, call, how: str) -> None:
    async with serving(hanging_up(range(1, 2), how)) as server:  # type: ignore[arg-type]
        for _ in range(2):
            answer = await client.send(call(server.origin))
            assert await answer.read() == b"hello"
            answer.close()
        assert server.connections == 2


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_the_second_time_is_the_last(client: Client, call, how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 1:
            await peer.send(OK)
            await peer.request()
        if how == "reset":
            peer.reset()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await answer.read()
        answer.close()
        with pytest.raises(TransportError) as caught:
            await client.send(call(server.origin))
        assert (caught.value.sent, caught.value.answered, caught.value.timeout) == (True, False, False)
        assert server.connections == 2


@pytest.mark.parametrize(
    "before", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n"]
)
async def test_not_after_one_byte_of_answer(client: Client, call, before: bytes) -> None:
    async with serving(hanging_up(range(1, 2), "close", before=before)) as server:  # type: ignore[arg-type]
        answer = await client.send(call(server.origin))
        await answer.read()
        answer.close()
        with pytest.raises(TransportError) as caught:
            await client.send(call(server.origin))
        assert (caught.value.sent, caught.value.answered) == (True, True)
        assert server.connections == 1


async def test_not_on_a_fresh_connection(client: Client, call) -> None:
    async with serving(once(b"")) as server:
        with pytest.raises(TransportError) as caught:
            await client.send(call(server.origin))
        assert (caught.value.stage, caught.value.sent, caught.value.answered) == ("first byte", True, False)
        assert server.connections == 1


async def test_not_when_it_was_only_late(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await answer.read()
        answer.close()
        with pytest.raises(TransportError) as caught:
            await client.send(call(server.origin, first_byte_timeout=0.05))
        assert caught.value.timeout and caught.value.sent
        assert server.connections == 1


async def test_what_a_stale_connection_may_have_got_stays_told(client: Client, call) -> None:
    """Its replacement cannot be opened: the request may have arrived all the same."""
    listening = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()
        listening.set()
        peer.reset()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await answer.read()
        answer.close()
        pool = client._pools[(server.origin, None)]
        pool._address = pool._address._replace(port=1)
        with pytest.raises(TransportError) as caught:
            await client.send(call(server.origin))
        assert listening.is_set()
        assert (caught.value.stage, caught.value.sent, caught.value.answered) == ("connect", True, False)


# --- the end of the client


async def test_closing_the_client_ends_everything(call) -> None:
    client = Client(Limits(per_origin=1))
    started = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        started.set()
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        reading = asyncio.ensure_future(answer.read())
        waiting = asyncio.ensure_future(client.send(call(server.origin)))
        await started.wait()
        await asyncio.sleep(0)
        await client.aclose()
        for one in (reading, waiting):
            with pytest.raises(TransportError):
                await one
        answer.close()
        for origin in (server.origin, "http://127.0.0.1:1"):
            with pytest.raises(TransportError, match="closed"):
                await client.send(call(origin))
        await server.all_closed()
        assert client.stats()[server.origin].open == 0


async def test_closing_the_client_while_it_connects(call) -> None:
    client = Client()
    async with serving(answering(OK)) as server:
        sending = asyncio.ensure_future(client.send(call(server.origin)))
        await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(TransportError):
            await sending
        await server.until(lambda one: one.open == 0)
        assert client.stats()[server.origin].open == 0


async def test_stats_add_up_what_goes_to_one_origin_by_several_ways(client: Client, call) -> None:
    async with serving(answering(OK)) as server:
        direct = await client.send(call(server.origin))
        proxied = await client.send(call(server.origin, proxy=server.origin))
        assert client.stats()[server.origin].open == 2
        assert client.stats()[server.origin].in_use == 2
        for answer in (direct, proxied):
            await answer.read()
            answer.close()
        assert client.stats()[server.origin].idle == 2


LAST = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\ne\r\ndata: [DONE]\n\n\r\n"


@pytest.mark.parametrize("after", [b"", b"7\r\n: bye\n\n\r\n"])
async def test_an_end_that_comes_later_keeps_the_connection(client: Client, call, after: bytes) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(LAST)
            await asyncio.sleep(0.02)
            await peer.send(after + b"0\r\n\r\n")

    async with serving(script) as server:
        for _ in range(3):
            answer = await client.send(call(server.origin))
            assert await answer.chunk() == b"data: [DONE]\n\n"
            answer.finish()
            answer.close()
            async with asyncio.timeout(5):
                while client.stats()[server.origin].idle != 1:
                    await asyncio.sleep(0.005)
        assert server.connections == 1


@pytest.mark.parametrize("more", [b"", b"400\r\n" + b"x" * 1024 + b"\r\n"], ids=["silence", "more"])
async def test_an_end_that_does_not_come_is_not_waited_for(client: Client, call, more: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(LAST)
        while more:
            await peer.send(more)
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await answer.chunk()
        answer.finish()
        await server.all_closed()
        answer = await client.send(call(server.origin))
        await answer.chunk()
        answer.finish()  # and the client is closed over it
