"""Opens a connection: names, addresses, TLS, and the way through a proxy.

Law: every address of a name gets its turn, the next one soon after one that does not answer. TLS always checks the
chain and the name. A cancelled or failed attempt leaves no socket behind.
"""

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import httptools

from conflux.neutral.errors import TransportError
from conflux.upstream.address import Address, Proxy

_HEAD_START = 0.25  # seconds an address has before the next one is tried beside it
_FAREWELL = 2.0  # seconds for a TLS goodbye
_PROXY_HEAD_MOST = 16 * 1024

Found = tuple[int, int, int, str, Any]
P = TypeVar("P", bound=asyncio.BaseProtocol)


def tls_context(extra_ca: str | None = None) -> ssl.SSLContext:
    """The system's trust store, and beside it the certificates in the file `extra_ca`."""
    context = ssl.create_default_context()
    if extra_ca is not None:
        context.load_verify_locations(cafile=extra_ca)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(make: Callable[[], P], address: Address, proxy: Proxy | None, tls: Callable[[], ssl.SSLContext]) -> P:
    """A connection to `address`. Raises OSError, ssl.SSLError or, for a proxy that will not, TransportError."""
    if address.unix is not None:
        return (await asyncio.get_running_loop().create_unix_connection(make, address.unix))[1]
    if proxy is None:
        return await _connect(make, address.host, address.port, tls() if address.tls else None)
    outer = tls() if proxy.tls else None
    if not address.tls:
        return await _connect(make, proxy.host, proxy.port, outer)
    return await _through(await _connect(_Tunnel, proxy.host, proxy.port, outer), make, address, proxy, tls())


async def _connect(make: Callable[[], P], host: str, port: int, tls: ssl.SSLContext | None) -> P:
    loop = asyncio.get_running_loop()
    name = host if tls is not None else None
    farewell = _FAREWELL if tls is not None else None
    if _is_literal(host):
        return (
            await loop.create_connection(make, host, port, ssl=tls, server_hostname=name, ssl_shutdown_timeout=farewell)
        )[1]
    sock = await _first_to_answer(loop, host, port)
    return (
        await loop.create_connection(make, sock=sock, ssl=tls, server_hostname=name, ssl_shutdown_timeout=farewell)
    )[1]


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _first_to_answer(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    waiting = deque(_alternate(found))
    tried: list[asyncio.Task[socket.socket]] = []
    pending: set[asyncio.Task[socket.socket]] = set()
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while winner is None:
            if waiting:
                tried.append(loop.create_task(_open_socket(loop, waiting.popleft())))
                pending.add(tried[-1])
            elif not pending:
                raise _all_failed(tried)
            done, pending = await asyncio.wait(
                pending, timeout=_HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            winner = next((task for task in done if task.exception() is None), None)
    finally:
        for task in tried:
            if task is not winner:
                task.cancel()
                task.add_done_callback(_discard)
    return winner.result()


def _alternate(found: Sequence[Found]) -> list[Found]:
    """The families by turns, the system's first choice first."""
    first = [one for one in found if one[0] == found[0][0]]
    other = [one for one in found if one[0] != found[0][0]]
    mixed: list[Found] = []
    for index in range(max(len(first), len(other))):
        mixed += first[index : index + 1] + other[index : index + 1]
    return mixed


async def _open_socket(loop: asyncio.AbstractEventLoop, found: Found) -> socket.socket:
    family, kind, protocol, _, address = found
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _discard(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _all_failed(tried: list[asyncio.Task[socket.socket]]) -> OSError:
    texts = dict.fromkeys(str(task.exception()) for task in tried)
    return OSError("; ".join(texts) or "the name has no address")


async def _through(tunnel: "_Tunnel", make: Callable[[], P], address: Address, proxy: Proxy, tls: ssl.SSLContext) -> P:
    loop = asyncio.get_running_loop()
    try:
        transport = await tunnel.open(address, proxy)
        inner = make()
        upgraded = await loop.start_tls(
            transport, inner, tls, server_hostname=address.host, ssl_shutdown_timeout=_FAREWELL
        )
        if upgraded is None:
            raise ConnectionResetError("the tunnel closed")
    except BaseException:
        tunnel.abort()
        raise
    inner.connection_made(upgraded)
    return inner


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a way through; its answer is parsed by llhttp like any other."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._seen = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def open(self, address: Address, proxy: Proxy) -> asyncio.Transport:
        assert self._transport is not None
        head = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n" % (address.target, address.target)
        if proxy.credentials is not None:
            head += proxy_authorization(proxy.credentials)
        self._transport.write(head + b"\r\n")
        status = await self._answer
        if not 200 <= status < 300:
            raise _refusal(f"the proxy answered {status}")
        return self._transport

    def data_received(self, data: bytes) -> None:
        self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the proxy does not speak HTTP: {error}")
        if self._seen > _PROXY_HEAD_MOST:
            self._fail("the proxy's answer has no end")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if (status < 100 or status >= 200) and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the proxy closed the connection")

    def abort(self) -> None:
        self._answer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, reason: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(_refusal(reason))


def proxy_authorization(credentials: bytes) -> bytes:
    return b"proxy-authorization: Basic " + base64.b64encode(credentials) + b"\r\n"


def _refusal(reason: str) -> TransportError:
    return TransportError("proxy", reason, sent=False, answered=False)
