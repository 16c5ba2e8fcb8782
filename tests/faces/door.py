"""A real door on a played gateway: our server and connection on a loopback port, the world behind them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from conflux.faces.feedback import FeedbackDesk
from conflux.faces.http import HttpFace, Limits
from conflux.faces.metrics import Metrics
from conflux.faces.public import Public
from conflux.faces.server import QuietServer, bind_tcp, make_server
from conflux.faces.web import Web
from conflux.neutral.records import Caller, Feedback
from conflux.neutral.reports import UsageAsked, UsageRow
from conflux.routing.opinions import Subject, Sum
from tests.relay.world import World


@dataclass
class Spent:
    scope: str = "key"
    window: str = "total"
    spent: int = 1
    held: int = 2
    cap: int | None = 10
    resets: int | None = None


class Said:
    """Implements FeedbackBook."""

    def __init__(self) -> None:
        self.given: list[Feedback] = []

    async def give(self, said: Feedback) -> bool:
        news = said not in self.given
        self.given.append(said)
        return news

    async def sums(self) -> dict[Subject, Sum]:
        return {Subject(one.storefront, one.model, one.task, one.simulated): Sum(1, one.score) for one in self.given}


class NoUsage:
    async def sums(self, asked: UsageAsked) -> list[UsageRow]:
        return []


@dataclass
class Door:
    port: int
    server: QuietServer
    face: HttpFace
    problems: dict[str, str]
    reported: list[tuple[Exception, str]] = field(default_factory=list)

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """One request on a connection of its own, which the request closes; head and body of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        data = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        head, _, body = data.partition(b"\r\n\r\n")
        return head, body

    async def get(self, path: str, *headers: str, method: str = "GET") -> tuple[int, bytes, bytes]:
        lines = [f"{method} {path} HTTP/1.1", "host: here", "connection: close", *headers, "", ""]
        head, body = await self.ask("\r\n".join(lines).encode())
        return int(head.split(b" ")[1]), head, body

    async def post(self, path: str, body: bytes, *headers: str) -> tuple[int, bytes, bytes]:
        lines = [f"POST {path} HTTP/1.1", "host: here", "connection: close", f"content-length: {len(body)}", *headers]
        head, answer = await self.ask("\r\n".join([*lines, "", ""]).encode() + body)
        return int(head.split(b" ")[1]), head, answer


@contextlib.asynccontextmanager
async def opened(
    world: World,
    limits: Limits | None = None,
    *,
    metrics: bool = True,
    usage: Any = None,
    web: Web | None = None,
    feedback: Said | None = None,
) -> AsyncIterator[Door]:
    problems: dict[str, str] = {}
    counted = Metrics(lambda: {"upstream_connections": 3.0})

    async def spending(caller: Caller) -> list[Any]:
        return [Spent()]

    public = Public(world.parts, spending, lambda: problems, counted.render if metrics else None, usage or NoUsage(),
                    FeedbackDesk(feedback or Said(), world.parts))  # fmt: skip
    reported: list[tuple[Exception, str]] = []
    face = HttpFace(world.gateway, public, limits or Limits(), lambda error, path: reported.append((error, path)), web)
    listener = bind_tcp("127.0.0.1", 0)
    server = make_server(face, graceful=5, ways=face)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.001)
    try:
        yield Door(listener.getsockname()[1], server, face, problems, reported)
    finally:
        server.should_exit = True
        await task
