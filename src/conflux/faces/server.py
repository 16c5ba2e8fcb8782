"""uvicorn, held on a short leash.

Law: sockets are bound by us, so that a taken port is one clear line; signals are handled by us, so that stopping and
reloading happen in our order. Everything else is uvicorn's.
"""

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn

from conflux.faces.connection import Connection, ShortWays
from conflux.neutral.errors import ConfigError


class QuietServer(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    def hurry(self) -> None:
        """Stop waiting for answers under way: each is told, settled and let go."""
        self.should_exit = self.force_exit = True
        for task in list(self.server_state.tasks):
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """An answer cut short at the deadline is settled, and its client told, before the ledger closes."""
        await super().shutdown(sockets)
        left = list(self.server_state.tasks)
        if left:
            await asyncio.wait(left, timeout=_LAST_WORDS_SECONDS)


_LAST_WORDS_SECONDS = 10.0


def make_server(
    app: Any, *, graceful: float, trusted_proxies: list[str] | None = None, ways: ShortWays | None = None
) -> QuietServer:
    config = uvicorn.Config(
        app,
        http=cast(Any, partial(Connection, ways)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or "",
        timeout_graceful_shutdown=max(1, int(graceful)),
        timeout_keep_alive=75,
        backlog=4096,
    )
    return QuietServer(config)


def allow_files() -> None:
    """Each stream is two sockets: take as many as the system grants, not as few as a shell starts with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def bind_tcp(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([f"cannot listen on {host} port {port}: {reason}; choose another with --port"]) from None
    return listener


@contextlib.contextmanager
def reachable(path: Path) -> Generator[str, None, None]:
    """An address for a socket's path, however long: the kernel takes about a hundred bytes, a directory's handle
    makes any path short enough."""
    if len(os.fsencode(path)) < _ADDRESS_MOST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


_ADDRESS_MOST = 100


def bind_unix(path: Path) -> socket.socket:
    """A socket only its owner may open. A leftover of a dead server is replaced: the caller holds the lock."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with reachable(path) as address:
            listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError([f"cannot make the control socket {path}: {error.strerror or error}"]) from None
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener
