"""The upstream client under test, on both event loops, and proof that it leaves nothing behind."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from conflux.neutral.ports import Outbound
from conflux.upstream.client import Client


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}


def sockets() -> int:
    """How many this process has open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            continue
    return found


async def settled(true: Callable[[], bool]) -> bool:
    """Given some time, does this come true? A TLS connection may wait 30 s to end."""
    end = asyncio.get_running_loop().time() + 45
    while not true():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.005)
    return True


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Closed afterwards, with no task and no socket of it left."""
    tasks, before = asyncio.all_tasks(), sockets()
    one = Client()
    yield one
    await one.aclose()
    assert all(stats.open == stats.waiting == 0 for stats in one.stats().values())
    assert await settled(lambda: not asyncio.all_tasks() - tasks - {asyncio.current_task()}), asyncio.all_tasks()
    assert await settled(lambda: sockets() <= before)


@pytest.fixture
def call() -> Callable[..., Outbound]:
    """A request with deadlines no test should reach."""

    def make(origin: str, **more: object) -> Outbound:
        given = {"path": "/v1", "body": b"{}", "connect_timeout": 10.0, "first_byte_timeout": 10.0, **more}
        return Outbound(origin=origin, **given)  # type: ignore[arg-type]

    return make
