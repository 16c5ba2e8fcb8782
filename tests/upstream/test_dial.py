"""Opening connections: TLS and its checks, proxies, names with several addresses."""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from conflux.neutral.errors import TransportError
from conflux.upstream import dial as dialling
from conflux.upstream.address import split_origin
from conflux.upstream.client import Client
from conflux.upstream.dial import _alternate, _first_to_answer, dial, tls_context
from tests.upstream.conftest import settled, sockets
from tests.upstream.misbehave import Peer, answering, once, refused_port, serving, silent, unreachable
from tests.upstream.proxy import tunnelling

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BIG = bytes(range(256)) * 4000


class Authority:
    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def trusting(client: Client, authority: Authority) -> Client:
    """A client that trusts the authority of these tests too."""
    client._make_tls = lambda: tls_context(str(authority.file))
    return client


async def failure(client: Client, call, origin: str, **more: object) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with asyncio.timeout(8):
            await client.send(call(origin, **more))
    assert all(one.open == 0 for one in client.stats().values())
    return caught.value


# --- TLS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tls_with_name_and_with_address(trusting: Client, call, authority: Authority, host: str) -> None:
    names: list[str | None] = []
    context = authority.server("localhost", "127.0.0.1")
    context.sni_callback = lambda sslobject, name, _: names.append(name)
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(answering(OK), tls=context) as server:
        origin = f"https://{host}:{server.port}"
        for _ in range(3):
            answer = await trusting.send(call(origin, body=BIG))
            assert await answer.read() == b"ok"
            answer.close()
        assert server.connections == 1
        assert names == (["localhost"] if host == "localhost" else [None])


async def test_a_wrong_name(trusting: Client, call, authority: Authority) -> None:
    async with serving(answering(OK), tls=authority.server("elsewhere.example")) as server:
        error = await failure(trusting, call, server.origin)
        assert (error.stage, error.sent, error.answered, error.timeout) == ("tls", False, False, False)
        assert "127.0.0.1" in error.reason
        assert server.requests == []


async def test_an_unknown_authority(client: Client, call, authority: Authority) -> None:
    async with serving(answering(OK), tls=authority.server("127.0.0.1")) as server:
        error = await failure(client, call, server.origin)
        assert (error.stage, error.sent) == ("tls", False)
        assert "certificate" in error.reason


async def test_an_upstream_that_does_not_speak_tls(trusting: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    async with serving(script) as server:
        error = await failure(trusting, call, f"https://127.0.0.1:{server.port}")
        assert (error.stage, error.sent) == ("tls", False)
        await server.all_closed()


async def test_an_upstream_that_hangs_up_in_the_handshake(trusting: Client, call) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(100)

    async with serving(script) as server:
        error = await failure(trusting, call, f"https://127.0.0.1:{server.port}")
        assert (error.stage, error.sent, error.timeout) == ("connect", False, False)


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_a_handshake_that_stands_still(trusting: Client, call, how: str) -> None:
    async with serving(silent) as server:
        origin = f"https://127.0.0.1:{server.port}"
        if how == "deadline":
            error = await failure(trusting, call, origin, connect_timeout=0.1)
            assert (error.stage, error.sent, error.timeout) == ("connect", False, True)
        else:
            work = asyncio.ensure_future(trusting.send(call(origin)))
            await server.until(lambda one: one.open == 1)
            await asyncio.sleep(0.02)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        await server.all_closed()


@pytest.mark.parametrize("size", [100_000, 200_000, 300_000, 1_000_000])
async def test_tls_that_is_held_back_loses_nothing_when_the_upstream_closes(
    trusting: Client, call, authority: Authority, size: int
) -> None:
    """The answer is sent and the connection closed while the reader sleeps."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size)
        for start in range(0, size, 20_000):
            await peer.send(BIG[start : min(start + 20_000, size)])
            await asyncio.sleep(0.001)
        closed.set()
        peer.writer.transport.abort()

    async with serving(script, tls=authority.server("127.0.0.1")) as server:
        answer = await trusting.send(call(server.origin))
        reader = answer._connection.reader  # type: ignore[union-attr]
        async with asyncio.timeout(5):
            await closed.wait()
        await asyncio.sleep(0.05)
        assert 32 * 1024 < reader.size <= 160 * 1024
        assert await answer.read() == BIG[:size]
        answer.close()


async def test_a_tls_body_without_a_length_needs_a_goodbye(trusting: Client, call, authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await asyncio.sleep(0.02)
        if peer.number == 2:  # what a stranger on the way can do: a FIN, without TLS's own farewell
            peer.writer.transport.abort()

    async with serving(script, tls=authority.server("127.0.0.1")) as server:
        answer = await trusting.send(call(server.origin))
        assert await answer.read() == b"abc"
        answer.close()
        answer = await trusting.send(call(server.origin))
        with pytest.raises(TransportError) as caught:
            await answer.read()
        answer.close()
        assert (caught.value.stage, caught.value.answered) == ("body", True)


async def test_cancelled_in_the_middle_of_a_tls_answer(trusting: Client, call, authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK[:-1])
        await peer.gone()

    async with serving(script, tls=authority.server("127.0.0.1")) as server:
        answer = await trusting.send(call(server.origin))
        assert await answer.chunk() == b"o"
        work = asyncio.ensure_future(answer.chunk())
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await server.all_closed()
        answer.close()


# --- proxies


async def test_https_goes_through_a_tunnel(trusting: Client, call, authority: Authority) -> None:
    seen: list[bytes] = []
    async with (
        serving(answering(OK), tls=authority.server("127.0.0.1")) as server,
        serving(tunnelling(seen)) as proxy,
    ):
        with_word = proxy.origin.replace("http://", "http://me:wo%3Ard@")
        for _ in range(3):
            answer = await trusting.send(call(server.origin, proxy=with_word, body=BIG))
            assert await answer.read() == b"ok"
            answer.close()
        target = b"127.0.0.1:%d" % server.port
        assert seen == [
            b"CONNECT " + target + b" HTTP/1.1\r\nhost: " + target + b"\r\n"
            b"proxy-authorization: Basic bWU6d286cmQ=\r\n\r\n"
        ]
        assert (server.connections, proxy.connections) == (1, 1)


async def test_the_name_is_checked_through_a_tunnel_too(trusting: Client, call, authority: Authority) -> None:
    async with (
        serving(answering(OK), tls=authority.server("elsewhere.example")) as server,
        serving(tunnelling([])) as proxy,
    ):
        error = await failure(trusting, call, server.origin, proxy=proxy.origin)
        assert (error.stage, error.sent) == ("tls", False)
        await proxy.all_closed()


async def test_a_tunnel_through_a_proxy_that_speaks_tls_itself(trusting: Client, call, authority: Authority) -> None:
    context = authority.server("127.0.0.1")
    async with serving(answering(OK), tls=context) as server, serving(tunnelling([]), tls=context) as proxy:
        answer = await trusting.send(call(server.origin, proxy=proxy.origin, body=BIG))
        assert await answer.read() == b"ok"
        answer.close()


async def test_http_through_a_proxy_names_the_whole_address(trusting: Client, call, authority: Authority) -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(OK)
        await peer.gone()

    for context in (None, authority.server("127.0.0.1")):
        async with serving(script, tls=context) as proxy:
            for way, word in (
                (proxy.origin, []),
                (proxy.origin.replace("://", "://me:word@"), [b"Basic bWU6d29yZA=="]),
            ):
                answer = await trusting.send(call("http://up.example:81", path="/v1?x=1", proxy=way))
                assert await answer.read() == b"ok"
                answer.close()
                assert seen[-1].line == b"POST http://up.example:81/v1?x=1 HTTP/1.1"
                assert seen[-1].values(b"host") == [b"up.example:81"]
                assert seen[-1].values(b"proxy-authorization") == word


async def test_an_upstream_never_sees_the_proxys_password(trusting: Client, call, authority: Authority) -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(OK)

    async with (
        serving(script, tls=authority.server("127.0.0.1")) as server,
        serving(tunnelling([])) as proxy,
    ):
        answer = await trusting.send(call(server.origin, proxy=proxy.origin.replace("://", "://me:word@")))
        await answer.read()
        answer.close()
        assert b"proxy-" not in seen[0].head and seen[0].line == b"POST /v1 HTTP/1.1"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "407"),
        (b"HTTP/1.1 503 No\r\ncontent-length: 3\r\n\r\nabc", "503"),
        (b"", "closed"),
        (b"HTTP/1.1 200", "closed"),
        (b"SSH-2.0\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000, "no end"),
    ],
)
async def test_a_proxy_that_will_not(trusting: Client, call, answer: bytes, why: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer)

    async with serving(script) as proxy:
        error = await failure(trusting, call, "https://up.example", proxy=proxy.origin)
        assert (error.stage, error.sent, error.answered) == ("proxy", False, False)
        assert why in error.reason
        await proxy.all_closed()


async def test_a_proxy_that_takes_its_time_says_so_first(trusting: Client, call, authority: Authority) -> None:
    inner = tunnelling([])

    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await inner(peer)

    async with serving(answering(OK), tls=authority.server("127.0.0.1")) as server, serving(script) as proxy:
        answer = await trusting.send(call(server.origin, proxy=proxy.origin))
        assert await answer.read() == b"ok"
        answer.close()


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_a_proxy_that_stands_still(trusting: Client, call, how: str) -> None:
    async with serving(silent) as proxy:
        if how == "deadline":
            error = await failure(trusting, call, "https://up.example", proxy=proxy.origin, connect_timeout=0.05)
            assert (error.stage, error.timeout) == ("connect", True)
        else:
            work = asyncio.ensure_future(trusting.send(call("https://up.example", proxy=proxy.origin)))
            await proxy.until(lambda one: one.open == 1)
            await asyncio.sleep(0.02)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        await proxy.all_closed()


# --- names and addresses


async def test_nobody_listens(client: Client, call) -> None:
    error = await failure(client, call, f"http://127.0.0.1:{refused_port()}")
    assert (error.stage, error.sent, error.timeout) == ("connect", False, False)
    error = await failure(client, call, f"http://localhost:{refused_port()}")
    assert (error.stage, error.sent, error.timeout) == ("connect", False, False)


async def test_nobody_answers(client: Client, call) -> None:
    with unreachable() as port:
        error = await failure(client, call, f"http://127.0.0.1:{port}", connect_timeout=0.1)
    assert (error.stage, error.sent, error.timeout) == ("connect", False, True)


async def test_a_name_that_does_not_exist(client: Client, call) -> None:
    error = await failure(client, call, "http://nowhere.invalid")
    assert (error.stage, error.sent) == ("connect", False)


class Names:
    """The running loop, with a name server of its own."""

    def __init__(self, *ports: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._ports = ports

    async def getaddrinfo(self, host: str, port: int, **more: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one)) for one in self._ports]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def test_every_address_gets_its_turn(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "_HEAD_START", 0.03)

    async def first(*ports: int) -> socket.socket:
        async with asyncio.timeout(5):
            return await _first_to_answer(Names(*ports), "up.example", 80)  # type: ignore[arg-type]

    async with serving(silent) as server:
        with unreachable() as deaf:
            before = sockets()
            for ports in ([refused_port(), server.port], [deaf, server.port], [deaf, deaf, server.port, deaf]):
                found = await first(*ports)
                assert found.getpeername()[1] == server.port
                found.close()
            with pytest.raises(OSError, match="failed"):
                await first(refused_port(), refused_port())
            with pytest.raises(OSError, match="no address"):
                await first()
            work = asyncio.ensure_future(first(deaf, deaf))
            await asyncio.sleep(0.1)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            await server.all_closed()
            assert await settled(lambda: sockets() <= before)


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_of_two_that_answer_one_is_closed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "_HEAD_START", 0)
    async with serving(silent) as server:
        rounds = 0
        # On a slow machine the first has often answered before a second was asked: try until two did.
        while server.connections == rounds and rounds < 300:
            rounds += 1
            found = await _first_to_answer(Names(*[server.port] * 5), "up", 80)  # type: ignore[arg-type]
            found.close()
            await server.all_closed()
        assert server.connections > rounds


def test_the_families_take_turns() -> None:
    def found(*families: int) -> list[Any]:
        return [(family, 1, 6, "", (number,)) for number, family in enumerate(families)]

    def order(*families: int) -> list[int]:
        return [one[4][0] for one in _alternate(found(*families))]

    assert order(6, 6, 6, 4, 4) == [0, 3, 1, 4, 2]
    assert order(4, 6, 6) == [0, 1, 2]
    assert order(4) == [0]
    assert order() == []


async def test_a_connection_does_not_hold_small_packets_back(client: Client, call) -> None:
    async with serving(answering(OK)) as server:
        for host in ("127.0.0.1", "localhost"):
            answer = await client.send(call(f"http://{host}:{server.port}"))
            sock = answer._connection._transport.get_extra_info("socket")  # type: ignore[union-attr]
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await answer.read()
            answer.close()


async def test_the_systems_authorities_are_trusted_beside_the_extra_ones(authority: Authority) -> None:
    plain, more = tls_context(), tls_context(str(authority.file))
    assert more.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1
    for context in (plain, more):
        assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(OSError):
        tls_context("/none/ca.pem")


async def test_dial_closes_what_it_cannot_use(authority: Authority) -> None:
    before = sockets()
    async with serving(once(b""), tls=authority.server("elsewhere.example")) as server:
        with pytest.raises(ssl.SSLError):
            await dial(asyncio.Protocol, split_origin(server.origin), None, lambda: tls_context(str(authority.file)))
        await server.all_closed()
    assert await settled(lambda: sockets() <= before)
