"""One exchange under every way a server can misbehave: what the caller is told, and that it is told in time."""

import asyncio

import pytest

from conflux.neutral.errors import TransportError
from conflux.upstream.client import Client, Limits
from tests.upstream.misbehave import Peer, Script, once, serving, silent

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
BIG = b"x" * (8 * 1024 * 1024)


async def broken(client: Client, call, script: Script, **more: object) -> TransportError:
    """The error this script leads to; by then the connection is closed."""
    async with serving(script) as server:
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(8):
                answer = await client.send(call(server.origin, **more))
                try:
                    await answer.read()
                finally:
                    answer.close()
        await server.all_closed()
        assert server.connections == 1
    return caught.value


def told(error: TransportError) -> tuple[str, bool, bool, bool]:
    return error.stage, error.sent, error.answered, error.timeout


# --- hang-ups


async def hang_up_at_once(peer: Peer) -> None:
    pass


async def reset_at_once(peer: Peer) -> None:
    peer.reset()


async def reset_in_the_request(peer: Peer) -> None:
    await peer.reader.read(1000)
    peer.reset()


async def reset_after_the_request(peer: Peer) -> None:
    await peer.request()
    peer.reset()


@pytest.mark.parametrize(
    "script", [hang_up_at_once, reset_at_once, reset_in_the_request, reset_after_the_request, once(b"")]
)
async def test_no_answer(client: Client, call, script: Script) -> None:
    error = await broken(client, call, script, body=BIG)
    assert error.stage in ("first byte", "send")
    assert (error.answered, error.timeout) == (False, False)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    ("sent", "stage"),
    [
        (b"H", "head"),
        (HEAD[:-1], "head"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "head"),
        (HEAD, "body"),
        (HEAD + b"123456789", "body"),
        (CHUNKED + b"5\r\nhel", "body"),
        (CHUNKED + b"5\r\nhello\r\n", "body"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", "body"),
    ],
)
async def test_an_answer_that_breaks_off(client: Client, call, sent: bytes, stage: str, how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(sent)
        if how == "reset":
            await asyncio.sleep(0.02)  # or it would overtake what was sent
            peer.reset()

    assert told(await broken(client, call, script)) == (stage, True, True, False)


async def test_a_body_without_a_length_is_whole_only_when_it_ends_properly(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await asyncio.sleep(0.02)
        if peer.number == 2:
            peer.reset()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        assert await answer.read() == b"abc"
        answer.close()
        answer = await client.send(call(server.origin))
        with pytest.raises(TransportError) as caught:
            await answer.read()
        answer.close()
        assert told(caught.value) == ("body", True, True, False)


@pytest.mark.parametrize(
    ("sent", "stage"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", "head"),
        (b"HTTP/1.1 200 OK\nx: y\n\n", "head"),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "head"),
        (b"<html>", "head"),
        (HEAD + b"0123456789" + b"and more", "body"),
        (HEAD + b"0123456789" + HEAD, "body"),
        (CHUNKED + b"zz\r\n", "body"),
        (CHUNKED + b"3\r\nabcd\r\n", "body"),
        (CHUNKED + b"ffffffffffffffffff\r\n", "body"),
    ],
)
async def test_an_answer_that_is_refused(client: Client, call, sent: bytes, stage: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(sent)
        await peer.gone()

    assert told(await broken(client, call, script)) == (stage, True, True, False)


@pytest.mark.parametrize(
    ("start", "more", "stage"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x-header: endless\r\n", "head"),
        (b"HTTP/1.1 200 ", b"endless reason ", "head"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "head"),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"x-trailer: endless\r\n", "body"),
        (CHUNKED + b"1;", b"extension", "body"),
        (CHUNKED, b"5\r\nhello\r\n", "size"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"endless body", "size"),
    ],
)
async def test_without_end(call, start: bytes, more: bytes, stage: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(start)
        while True:
            await peer.send(more * 1000)

    client = Client(Limits(body_bytes=1_000_000))
    assert told(await broken(client, call, script)) == (stage, True, True, False)
    await client.aclose()


async def test_bytes_that_come_after_the_end_close_the_connection_and_not_the_answer(client: Client, call) -> None:
    """Together with the end they are refused (above); apart from it the answer was whole already."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"0123456789")
        await asyncio.sleep(0.02)
        await peer.send(b"and more")
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await server.all_closed()
        assert await answer.read() == b"0123456789"
        answer.close()


async def test_bytes_that_nobody_asked_for_close_an_idle_connection(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"0123456789")
        if peer.number == 1:
            await asyncio.sleep(0.02)
            await peer.send(HEAD + b"poisonpois")
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        assert await answer.read() == b"0123456789"
        answer.close()
        await server.all_closed()
        answer = await client.send(call(server.origin))
        assert await answer.read() == b"0123456789"
        answer.close()
        assert server.connections == 2


async def test_what_the_loop_has_not_read_yet_is_no_answer_to_the_next_request(client: Client, call) -> None:
    """The poison lies in the socket when the next request is sent, in the same turn of the loop."""
    poisoned = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(HEAD + b"0123456789")
            if peer.number == 1:
                await poisoned.wait()
                peer.writer.write(HEAD + b"poisonpois")

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        assert await answer.read() == b"0123456789"
        answer.close()
        connection = client._pools[(server.origin, None)]._idle[0]
        poisoned.set()
        connection._transport.pause_reading()  # type: ignore[union-attr]
        await asyncio.sleep(0.05)
        connection.idle_since -= 1
        answer = await client.send(call(server.origin))
        assert await answer.read() == b"0123456789"
        answer.close()
        assert server.connections == 2


# --- deadlines: each is the only one short enough to be reached


async def test_the_first_byte_deadline_is_for_the_whole_head(client: Client, call) -> None:
    assert told(await broken(client, call, silent, first_byte_timeout=0.05)) == ("first byte", True, False, True)

    async def script(peer: Peer) -> None:
        await peer.request()
        for one in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
            await peer.send_apart(bytes([one]))

    assert told(await broken(client, call, script, first_byte_timeout=0.1)) == ("first byte", True, True, True)


async def test_the_idle_deadline_starts_anew_with_each_byte(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n")
        for _ in range(30):
            await peer.send(b"x")
            await asyncio.sleep(0.02)
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin, idle_timeout=0.4))
        got = b""
        with pytest.raises(TransportError) as caught:
            while True:
                got += await answer.chunk()
        answer.close()
        assert got == b"x" * 30
        assert told(caught.value) == ("idle", True, True, True)
        await server.all_closed()


async def test_the_total_deadline_ends_what_drips(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        while True:
            await peer.send_apart(b"1\r\na\r\n")

    assert told(await broken(client, call, script, total_timeout=0.15)) == ("total", True, True, True)


async def test_the_total_deadline_ends_what_pours(client: Client, call) -> None:
    """Where bytes are always there, nobody ever waits."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b"x" * 65536)

    async with serving(script) as server:
        answer = await client.send(call(server.origin, total_timeout=0.15))
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(8):
                while await answer.chunk():
                    await asyncio.sleep(0)
        answer.close()
        assert told(caught.value) == ("total", True, True, True)
        await server.all_closed()


async def test_the_total_deadline_counts_from_the_start(client: Client, call) -> None:
    error = await broken(client, call, silent, total_timeout=0.05)
    assert told(error) == ("total", True, False, True)


async def test_the_idle_deadline_ends_a_request_that_nobody_takes(client: Client, call) -> None:
    error = await broken(client, call, Peer.stall, body=BIG * 4, idle_timeout=0.1)
    assert told(error) == ("request body", True, False, True)


async def test_deadlines_of_one_answer_do_not_reach_the_next(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"0123456789")
        await peer.request()
        await asyncio.sleep(0.5)
        await peer.send(HEAD + b"0123456789")
        await peer.gone()

    async with serving(script) as server:
        short = call(server.origin, first_byte_timeout=0.4, idle_timeout=0.4, total_timeout=0.4)
        for one in (short, call(server.origin)):
            answer = await client.send(one)
            assert await answer.read() == b"0123456789"
            answer.close()
        assert server.connections == 1


# --- requests with a body


async def test_a_large_request_arrives_whole(client: Client, call) -> None:
    body = bytes(range(256)) * 20_000

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            assert request.body == body
            await peer.send(HEAD + b"0123456789")

    async with serving(script) as server:
        for _ in range(2):
            answer = await client.send(call(server.origin, body=body))
            assert await answer.read() == b"0123456789"
            answer.close()
        assert server.connections == 1


async def test_an_answer_before_the_request_was_read_counts_and_the_connection_does_not(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await peer.stall()

    async with serving(script) as server:
        answer = await client.send(call(server.origin, body=BIG * 4))
        assert (answer.status, await answer.read()) == (413, b"big")
        answer.close()
        await server.all_closed()


async def test_a_server_that_says_goodbye_and_takes_no_more(client: Client, call) -> None:
    """Its half of the connection is closed; ours would wait for ever until the request is written."""

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.writer.write_eof()
        await peer.stall()

    assert told(await broken(client, call, script, body=BIG * 4)) == ("first byte", True, False, False)


async def test_a_head_that_comes_early_does_not_stop_the_request(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(HEAD)
        got = await peer.reader.readexactly(len(BIG))
        await peer.send(b"0123456789" if got == BIG else b"incomplete")
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin, body=BIG))
        assert await answer.read() == b"0123456789"
        answer.close()
        assert client.stats()[server.origin].idle == 1


async def test_a_request_waits_in_the_callers_memory_not_in_ours(client: Client, call) -> None:
    async with serving(Peer.stall) as server:
        sending = asyncio.ensure_future(client.send(call(server.origin, body=BIG * 8)))
        await server.until(lambda one: one.open == 1)
        await asyncio.sleep(0.2)
        (connection,) = client._pools[(server.origin, None)]._open
        assert 0 < connection._transport.get_write_buffer_size() <= 512 * 1024  # type: ignore[union-attr]
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.all_closed()
