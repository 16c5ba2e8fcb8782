"""A simulator per test, stopped whole whatever happens."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from conflux.sim.script import Script
from conflux.sim.server import SimServer

NOW = 1_790_000_000
Starter = Callable[..., Awaitable[SimServer]]


@pytest.fixture
async def start() -> AsyncIterator[Starter]:
    servers: list[SimServer] = []

    async def make(script: Script | None = None, **options: object) -> SimServer:
        server = SimServer(script, clock=lambda: NOW, **options)  # type: ignore[arg-type]
        servers.append(server)
        await server.start()
        return server

    yield make
    for server in servers:
        await server.stop()
        assert server.connections == 0
        assert server.log.open == 0


@pytest.fixture
async def sim(start: Starter) -> SimServer:
    return await start()
