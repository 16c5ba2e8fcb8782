"""For all tests: the machine they run on does not show through.

Law: provider keys, our own settings and proxies of the caller are gone before anything of ours is imported, and no
connection leaves the loopback, so that a test neither reaches a real provider nor depends on who runs it. What a test
needs, it sets itself (monkeypatch).
"""

import asyncio
import os
import re
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import pytest
from hypothesis import settings

from tests.postgres import Server

# Read by the tests themselves, so kept: see ./run fuzz.
_KEPT = frozenset({"CONFLUX_FUZZ_INPUTS"})

_FOREIGN = re.compile(
    r"CONFLUX_.*"
    r"|.*_(API_KEY|API_TOKEN|API_BASE|BASE_URL|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)(_FILE)?"
    r"|(OPENAI|ANTHROPIC|AZURE|GEMINI|GOOGLE|AWS|BEDROCK|VERTEX|MISTRAL|COHERE|OLLAMA)_.*"
    r"|(DATABASE_URL|REDIS_URL|HOST|PORT)(_FILE)?"
    r"|(HTTP|HTTPS|ALL|FTP|NO)_PROXY"
    r"|SSL_CERT_(FILE|DIR)",
    re.IGNORECASE,
)


def foreign(name: str) -> bool:
    """Does this variable belong to the machine rather than to the tests?"""
    return name not in _KEPT and _FOREIGN.fullmatch(name) is not None


def _outside(address: object) -> bool:
    if not isinstance(address, tuple):
        return False  # A Unix socket.
    host = str(address[0]).partition("%")[0]
    try:
        number = ip_address(host)
    except ValueError:
        return host != "localhost"
    return not (number.is_loopback or number.is_unspecified)


def _stay_inside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuses what the standard library's sockets connect to; uvloop's own are not seen, nor are other processes."""
    if event != "socket.connect":
        return
    connecting, address = arguments
    if isinstance(connecting, socket.socket) and connecting.type == socket.SOCK_STREAM and _outside(address):
        raise RuntimeError(f"a test tried to reach {address!r}: tests stay on the loopback")


def pytest_configure() -> None:
    for name in [name for name in os.environ if foreign(name)]:
        del os.environ[name]
    settings.register_profile("any machine", deadline=None)  # how long an example takes is the machine's
    settings.load_profile("any machine")
    sys.addaudithook(_stay_inside)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Started once, and only if some test asks for it."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of a database on it with our schema: copying it is quicker than migrating."""
    from conflux.stores.postgres_migrate import migrate_postgres
    from conflux.stores.postgres_run import connect

    name = postgres_server.database()
    url = postgres_server.url(name)

    async def fill() -> None:
        connection = await connect(url, "test")
        await migrate_postgres(connection, url)
        await connection.close()

    with ThreadPoolExecutor(1) as thread:  # who asks may stand on a loop already
        thread.submit(asyncio.run, fill()).result()
    return name
