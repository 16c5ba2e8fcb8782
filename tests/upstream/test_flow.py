"""Readers that are slow, that push through, or that leave."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound
from conflux.upstream.client import Client, Limits
from tests.upstream.conftest import settled
from tests.upstream.misbehave import Peer, answering, serving, silent, unreachable
from tests.upstream.test_connection import BIG, CHUNKED, HEAD

# --- back-pressure


async def test_a_reader_that_does_not_read_stops_the_server(client: Client, call) -> None:
    """What we hold is bounded; the rest waits in the kernel and then in the server."""
    peers = []

    async def script(peer: Peer) -> None:
        peers.append(peer)
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (200 * 65536))
        for _ in range(200):
            await peer.send(b"x" * 65536)
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        reader = answer._connection.reader  # type: ignore[union-attr]
        before = -1
        while peers[0].accepted != before:  # until it can send no more
            before = peers[0].accepted
            await asyncio.sleep(0.1)
        assert before < 200 * 65536
        assert 32 * 1024 < reader.size <= 96 * 1024
        got = len(await answer.read())
        answer.close()
        assert got == 200 * 65536
        assert client.stats()[server.origin].idle == 1


async def test_less_than_the_mark_holds_nobody_back(client: Client, call) -> None:
    sent = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n\r\n" + b"x" * 30000)
        sent.set()
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        await sent.wait()
        assert len(await answer.read()) == 30000
        answer.close()


# --- stream: pushed through in the reader's own turn


def into(got: list[bytes]) -> Callable[[bytes], bool]:
    def sink(data: bytes) -> bool:
        got.append(data)
        return True

    return sink


async def test_stream_hands_over_every_arrival_in_order(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(CHUNKED)
            for number in range(50):
                await peer.send_apart(b"3\r\n%03d\r\n" % number)
            await peer.send(b"0\r\n\r\n")

    async with serving(script) as server:
        for _ in range(2):
            got: list[bytes] = []
            answer = await client.send(call(server.origin))

            assert await answer.stream(into(got)) is False
            assert await answer.stream(into(got)) is False
            answer.close()
            assert b"".join(got) == b"".join(b"%03d" % number for number in range(50))
            assert b"" not in got
        assert server.connections == 1


async def test_a_sink_that_wants_a_pause_gets_nothing_until_it_asks(client: Client, call) -> None:
    total = 3_000_000

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total + bytes(total))
        await peer.gone()

    async with serving(script) as server:
        got: list[int] = []

        def sink(data: bytes) -> bool:
            got.append(len(data))
            return False

        answer = await client.send(call(server.origin))
        reader = answer._connection.reader  # type: ignore[union-attr]
        while await answer.stream(sink):
            before = len(got)
            await asyncio.sleep(0.002)
            assert len(got) == before
            assert reader.size <= 96 * 1024
        answer.close()
        assert sum(got) == total
        assert client.stats()[server.origin].idle == 1


async def test_a_stream_that_breaks_off_has_handed_over_what_came(client: Client, call) -> None:
    for broken_off in (b"", b"zz\r\n"):

        async def script(peer: Peer, last: bytes = broken_off) -> None:
            await peer.request()
            await peer.send(CHUNKED)
            await asyncio.sleep(0.02)  # until the stream waits
            await peer.send(b"3\r\nabc\r\n" + last)

        async with serving(script) as server:
            got: list[bytes] = []
            answer = await client.send(call(server.origin))
            with pytest.raises(TransportError) as caught:
                await answer.stream(into(got))
            answer.close()
            assert b"".join(got) == b"abc"
            assert (caught.value.stage, caught.value.answered) == ("body", True)
            await server.all_closed()


async def test_a_sink_that_fails_fails_where_the_stream_is_awaited(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        while True:
            await peer.send_apart(b"3\r\nabc\r\n")

    async with serving(script) as server:
        count = 0

        def sink(data: bytes) -> bool:
            nonlocal count
            count += 1
            if count == 3:
                raise KeyError("mine")
            return True

        answer = await client.send(call(server.origin))
        with pytest.raises(KeyError):
            await answer.stream(sink)
        answer.close()
        await server.all_closed()


@pytest.mark.parametrize("stage", ["idle", "total"])
async def test_the_deadlines_of_a_stream(client: Client, call, stage: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(30 if stage == "idle" else 1_000_000):
            await peer.send_apart(b"3\r\nabc\r\n")
            await asyncio.sleep(0.05)
        await peer.gone()

    async with serving(script) as server:
        got: list[bytes] = []
        answer = await client.send(call(server.origin, **{f"{stage}_timeout": 1.0}))
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(20):
                await answer.stream(into(got))
        answer.close()
        assert (caught.value.stage, caught.value.timeout) == (stage, True)
        if stage == "idle":
            assert b"".join(got) == b"abc" * 30
        await server.all_closed()


# --- cancellation: the server sees it within a second, whatever was under way


async def cancelled(work: "asyncio.Future[Any]") -> None:
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize("body", [b"{}", BIG], ids=["small", "large"])
async def test_while_it_waits_for_the_head(client: Client, call, body: bytes) -> None:
    async with serving(silent) as server:
        work = asyncio.ensure_future(client.send(call(server.origin, body=body)))
        await server.until(lambda one: one.open == 1)
        await asyncio.sleep(0.02)
        await cancelled(work)
        await server.all_closed()


@pytest.mark.parametrize("way", ["chunk", "read", "stream"])
async def test_while_it_reads(client: Client, call, way: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"012")
        await peer.gone()

    async with serving(script) as server:
        answer = await client.send(call(server.origin))
        assert await answer.chunk() == b"012"
        reading = {"chunk": answer.chunk, "read": answer.read, "stream": lambda: answer.stream(lambda data: True)}
        work = asyncio.ensure_future(reading[way]())
        await asyncio.sleep(0)
        await cancelled(work)
        await server.all_closed()
        answer.close()


async def test_while_it_connects(client: Client, call) -> None:
    with unreachable() as port:
        work = asyncio.ensure_future(client.send(call(f"http://127.0.0.1:{port}")))
        await asyncio.sleep(0.02)
        await cancelled(work)
        assert client.stats()[f"http://127.0.0.1:{port}"].open == 0


async def test_at_any_moment(client: Client, call) -> None:
    """Turn by turn of the loop, from before the connection to after the end."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send_apart(HEAD[:20], HEAD[20:], b"01234", b"56789")

    async def whole(origin: str) -> bytes:
        answer = await client.send(call(origin))
        try:
            return await answer.read()
        finally:
            answer.close()

    async with serving(script) as server:
        for turns in range(1, 60):
            work = asyncio.ensure_future(whole(server.origin))
            for _ in range(turns):
                await asyncio.sleep(0)
            work.cancel()
            (done,) = await asyncio.gather(work, return_exceptions=True)
            assert done == b"0123456789" or isinstance(done, asyncio.CancelledError)
            assert client.stats()[server.origin].in_use <= 1
        assert await whole(server.origin) == b"0123456789"
        await server.until(lambda one: one.open == 1, 1.0)


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_no_answer_ever_reaches_another_request() -> None:
    """Two thousand requests, a third of them cancelled at random: each answer is the one to its own request."""
    chance = random.Random(7)
    client = Client(Limits(per_origin=16))
    mixed_up = []

    async def script(peer: Peer) -> None:
        while True:
            nonce = (await peer.request()).body
            cut = chance.randrange(len(nonce))
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(nonce)
            await peer.send(head + nonce[:cut])
            await asyncio.sleep(chance.choice((0, 0, 0.0005)))
            await peer.send(nonce[cut:])

    async with serving(script) as server:

        async def one(number: int) -> None:
            nonce = b"nonce-%06d" % number * 3
            answer = await client.send(Outbound(origin=server.origin, path="/", body=nonce))
            try:
                if await answer.read() != nonce:
                    mixed_up.append(number)
            finally:
                answer.close()

        async def worker(numbers: range) -> None:
            for number in numbers:
                work = asyncio.ensure_future(one(number))
                if chance.random() < 0.33:
                    for _ in range(chance.randrange(12)):
                        await asyncio.sleep(0)
                    work.cancel()
                await asyncio.gather(work, return_exceptions=True)

        await asyncio.gather(*[worker(range(start, 2000, 32)) for start in range(32)])
        assert mixed_up == []
        assert await settled(lambda: client.stats()[server.origin].in_use == 0)
        assert client.stats()[server.origin].waiting == 0
        assert client.stats()[server.origin].open <= 16
        await client.aclose()
        await server.all_closed()


async def test_closed_while_paused(client: Client, call) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 8388608\r\n\r\n" + BIG)) as server:
        answer = await client.send(call(server.origin))
        await asyncio.sleep(0.1)
        answer.close()
        await server.all_closed()
