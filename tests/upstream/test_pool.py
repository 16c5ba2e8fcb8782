"""Slots and idle connections: limits, order, expiry."""

import asyncio
from collections.abc import Callable

import pytest

from conflux.neutral.errors import TransportError
from conflux.upstream.client import Client, Limits
from conflux.upstream.connection import Connection
from tests.upstream.conftest import settled
from tests.upstream.misbehave import Peer, Server, answering, serving, unreachable

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def held(peer: Peer) -> None:
    """Answers, but for its last byte."""
    await peer.request()
    await peer.send(OK[:-1])
    await peer.gone()


async def whole(client: Client, call, server: Server) -> bytes:
    answer = await client.send(call(server.origin))
    try:
        return await answer.read()
    finally:
        answer.close()


async def test_never_more_connections_than_the_limit(call) -> None:
    client = Client(Limits(per_origin=3))
    most = 0

    async def script(peer: Peer) -> None:
        nonlocal most
        while True:
            await peer.request()
            most = max(most, server.open)
            await asyncio.sleep(0.002)
            await peer.send(OK)

    async with serving(script) as server:
        answers = await asyncio.gather(*[whole(client, call, server) for _ in range(60)])
        assert answers == [b"ok"] * 60
        assert most == server.connections == 3
        await client.aclose()


async def test_waiting_for_a_slot_ends_with_the_connect_deadline(call) -> None:
    client = Client(Limits(per_origin=1))
    async with serving(held) as server:
        answer = await client.send(call(server.origin))
        with pytest.raises(TransportError, match="came free") as caught:
            await client.send(call(server.origin, connect_timeout=0.05))
        assert (caught.value.stage, caught.value.sent, caught.value.timeout) == ("connect", False, True)
        assert client.stats()[server.origin].waiting == 0
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(5):
                await client.send(call(server.origin, total_timeout=0.05))
        assert caught.value.timeout
        answer.close()
        again = await client.send(call(server.origin))
        again.close()
        await client.aclose()


async def test_a_slot_goes_to_who_waits_longest_and_not_to_who_comes_by(call) -> None:
    client = Client(Limits(per_origin=1))
    order: list[int] = []

    async def one(number: int) -> None:
        await whole(client, call, server)
        order.append(number)

    async with serving(answering(OK)) as server:
        first = await client.send(call(server.origin))
        waiting = [asyncio.ensure_future(one(number)) for number in range(5)]
        while client.stats()[server.origin].waiting < 5:
            await asyncio.sleep(0)
        await first.read()
        late = asyncio.ensure_future(one(99))  # comes in the very turn in which the connection comes free
        await asyncio.gather(*waiting, late)
        assert order == [0, 1, 2, 3, 4, 99]
        assert server.connections == 1
        await client.aclose()


async def test_a_closed_connection_leaves_its_slot_to_who_waits(call) -> None:
    client = Client(Limits(per_origin=1))
    async with serving(held) as server:
        first = await client.send(call(server.origin))
        waiting = asyncio.ensure_future(client.send(call(server.origin)))
        while not client.stats()[server.origin].waiting:
            await asyncio.sleep(0)
        first.close()
        (await waiting).close()
        assert server.connections == 2
        await client.aclose()


@pytest.mark.parametrize("comes_free", ["a connection", "leave to open one"])
async def test_who_gives_up_waiting_passes_its_turn_on(call, comes_free: str) -> None:
    """Cancelled in the very turn in which its turn has come."""
    client = Client(Limits(per_origin=1))

    async def script(peer: Peer) -> None:
        await (held(peer) if peer.number == 1 and comes_free != "a connection" else answering(OK)(peer))

    async with serving(script) as server:
        first = await client.send(call(server.origin))
        one, other = (asyncio.ensure_future(client.send(call(server.origin))) for _ in range(2))
        while client.stats()[server.origin].waiting < 2:
            await asyncio.sleep(0)
        first.close()
        while client.stats()[server.origin].waiting == 2:
            await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        answer = await other
        assert await answer.read() == b"ok"
        answer.close()
        found = client.stats()[server.origin]
        assert (found.open, found.idle, found.waiting) == (1, 1, 0)
        await client.aclose()


async def test_connections_that_cannot_be_opened_hold_no_slot(call) -> None:
    client = Client(Limits(per_origin=2))
    with unreachable() as port:
        origin = f"http://127.0.0.1:{port}"
        for _ in range(2):
            failed = await asyncio.gather(
                *[client.send(call(origin, connect_timeout=0.05)) for _ in range(4)], return_exceptions=True
            )
            assert all(isinstance(one, TransportError) and one.timeout for one in failed)
        assert client._pools[(origin, None)]._opening == 0
        await client.aclose()


async def test_idle_connections_are_limited(call) -> None:
    client = Client(Limits(idle_per_origin=2))
    async with serving(answering(OK)) as server:
        answers = await asyncio.gather(*[client.send(call(server.origin)) for _ in range(5)])
        assert client.stats()[server.origin].in_use == 5
        for answer in answers:
            await answer.read()
            answer.close()
        assert client.stats()[server.origin].idle == 2
        await server.until(lambda one: one.open == 2)
        await client.aclose()


async def test_idle_connections_expire_by_themselves(call) -> None:
    client = Client(Limits(idle_seconds=0.05))
    async with serving(answering(OK)) as server:
        await asyncio.gather(*[whole(client, call, server) for _ in range(3)])
        await server.until(lambda one: one.open == 0)
        assert client.stats()[server.origin].open == 0
        await client.aclose()


async def test_an_expired_connection_is_not_used_even_before_it_is_swept(call) -> None:
    client = Client(Limits(idle_seconds=30))
    async with serving(answering(OK)) as server:
        await whole(client, call, server)
        (connection,) = client._pools[(server.origin, None)]._idle
        connection.idle_since -= 31
        await whole(client, call, server)
        assert server.connections == 2
        await client.aclose()


async def test_a_connection_the_server_closed_while_idle_is_gone_from_the_pool(client: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)

    async with serving(script) as server:
        for number in (1, 2):
            await whole(client, call, server)
            assert await settled(lambda: client.stats()[server.origin].open == 0)
            assert server.connections == number


async def test_one_origin_does_not_wait_for_another(call) -> None:
    client = Client(Limits(per_origin=1))
    async with serving(held) as slow, serving(answering(OK)) as fast:
        answer = await client.send(call(slow.origin))
        assert await whole(client, call, fast) == b"ok"
        answer.close()
        await client.aclose()


async def test_who_wants_a_fresh_connection_gets_no_other(call) -> None:
    client = Client(Limits(per_origin=1))
    async with serving(answering(OK)) as server:
        first = await client.send(call(server.origin))
        used = first._connection
        pool = client._pools[(server.origin, None)]
        waiting = asyncio.ensure_future(pool.connect(pool.loop.time() + 5, fresh=True))
        while not client.stats()[server.origin].waiting:
            await asyncio.sleep(0)
        await first.read()
        fresh = await waiting
        assert fresh is not used and not fresh.used
        assert (server.connections, client.stats()[server.origin].open) == (2, 1)
        fresh.abort()
        await client.aclose()


async def test_a_connection_lost_before_it_was_counted_holds_no_slot(call, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(Limits(per_origin=1))

    async def lost_at_once(make: Callable[[], Connection], *place: object) -> Connection:
        made = make()
        made.connection_lost(None)
        return made

    async with serving(answering(OK)) as server:
        with monkeypatch.context() as patched:
            patched.setattr("conflux.upstream.pool.dial", lost_at_once)
            for _ in range(2):
                with pytest.raises(TransportError) as caught:
                    await client.send(call(server.origin))
                assert (caught.value.stage, caught.value.sent) == ("send", False)
        assert await whole(client, call, server) == b"ok"
        await client.aclose()
