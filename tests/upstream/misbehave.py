"""Servers that do exactly what a script says, byte by byte, right or wrong.

Law: nothing here knows HTTP beyond finding the end of a request, so that it can send what no server should. A script
runs once per connection; when it returns, the connection is closed properly. What a server saw is read from its side.
"""

import asyncio
import contextlib
import select
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError)


@dataclass
class Request:
    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    @property
    def path(self) -> bytes:
        return self.line.split(b" ")[1]

    def values(self, name: bytes) -> list[bytes]:
        lines = self.head.split(b"\r\n")[1:]
        return [value.strip() for key, _, value in (line.partition(b":") for line in lines) if key.lower() == name]


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: "Server") -> None:
        self.reader = reader
        self.writer = writer
        self.number = server.connections  # 1 for a server's first connection
        self._requests = server.requests
        self.accepted = 0  # bytes that went out, as far as this side can tell

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> Request:
        found = Request(await self.head(), b"")
        for length in found.values(b"content-length"):
            found.body = await self.reader.readexactly(int(length))
        self._requests.append(found)
        return found

    async def send(self, data: bytes) -> None:
        if self.writer.transport.is_closing():
            raise ConnectionResetError("the client left")
        self.writer.write(data)
        await self.writer.drain()
        self.accepted += len(data)

    async def send_apart(self, *pieces: bytes) -> None:
        """Each piece in a packet of its own, as far as one can say so."""
        for piece in pieces:
            await self.send(piece)
            await asyncio.sleep(0.001)

    def reset(self) -> None:
        """RST instead of FIN."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Until the client has closed its end."""
        with contextlib.suppress(*_GONE):
            while await self.reader.read(65536):
                pass

    async def stall(self) -> None:
        """Read nothing more until the client hangs up."""
        poll = select.poll()
        poll.register(self.writer.get_extra_info("socket").fileno(), select.POLLRDHUP)
        while not poll.poll(0):
            await asyncio.sleep(0.005)


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Server:
    origin: str = ""
    port: int = 0
    connections: int = 0
    open: int = 0
    requests: list[Request] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, true: Callable[["Server"], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not true(self):
                self.changed.clear()
                await self.changed.wait()

    async def all_closed(self) -> None:
        """The figure of the contract: a cancelled exchange is closed within a second."""
        await self.until(lambda one: one.open == 0, 1.0)


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, tls: ssl.SSLContext | None = None, unix: Path | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def run(peer: Peer) -> None:
        try:
            await script(peer)
        except _GONE:
            pass
        except asyncio.CancelledError:
            peer.writer.transport.abort()
        except Exception as error:  # noqa: BLE001 edge: raised again where the server is closed
            server.failures.append(error)
        finally:
            with contextlib.suppress(*_GONE):
                peer.writer.close()
                await peer.writer.wait_closed()
            server.open -= 1
            server.changed.set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.open += 1
        server.changed.set()
        task = asyncio.get_running_loop().create_task(run(Peer(reader, writer, server)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if unix is not None:
        listener = await asyncio.start_unix_server(accept, unix)
        server.origin = f"unix:{unix}"
    else:
        listener = await asyncio.start_server(accept, host, 0, ssl=tls)
        server.port = listener.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        server.origin = f"{'https' if tls else 'http'}://{shown}:{server.port}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
    if server.failures:
        raise server.failures[0]


def answering(answer: bytes, *, pieces: int = 1) -> Script:
    """Every request gets this, on one connection as long as the client likes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            size = max(1, -(-len(answer) // pieces))
            for start in range(0, len(answer), size):
                await peer.send(answer[start : start + size])

    return script


def once(answer: bytes) -> Script:
    """One request, this answer, and a proper goodbye."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)

    return script


async def silent(peer: Peer) -> None:
    """Reads the request and never answers."""
    await peer.gone()


@contextlib.contextmanager
def unreachable() -> Iterator[int]:
    """A port of 127.0.0.1 where connecting neither succeeds nor fails: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(listener.getsockname())
        waiting.append(one)
    try:
        yield listener.getsockname()[1]
    finally:
        for one in [*waiting, listener]:
            one.close()


def refused_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
