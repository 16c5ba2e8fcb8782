"""The simulator as a running server, in this event loop or on its own.

Law: started on a port that was free, stopped whole. It lives on the loopback: it is no provider to anybody else.
uvicorn's protocol is used without uvicorn's server, whose signals, ticks and slow stop a guest in a loop does not need.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from conflux.sim.app import SimApp
from conflux.sim.line import WIRE
from conflux.sim.log import SimLog
from conflux.sim.script import Script

_LINGER_NONE = b"\x01\x00\x00\x00\x00\x00\x00\x00"
_BACKLOG = 4096


class _SimConnection(HttpToolsProtocol):
    """Gives the application what ASGI has no word for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gone.set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[WIRE] = self

    def abort(self) -> None:
        # Without lingering, the client sees a reset and not a polite end.
        found = self.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.transport.abort()

    def unsent(self) -> int:
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    def count(self) -> int:
        return len(self.connections)


class SimServer:
    def __init__(
        self,
        script: Script | None = None,
        log: SimLog | None = None,
        pace: float = 0.0,
        *,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        self.app = SimApp(script, log, pace, clock=clock, seed=seed)
        self.log = self.app.log
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._state = ServerState()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listening when it returns. The port it got."""
        config = uvicorn.Config(
            self.app, http=_SimConnection, ws="none", log_config=None, access_log=False, lifespan="off",
            server_header=False, date_header=False, timeout_keep_alive=120,
        )  # fmt: skip
        config.load()
        state = self._state = ServerState()
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: _SimConnection(config, state, {}), host, port, backlog=_BACKLOG
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        return self.port

    @property
    def connections(self) -> int:
        return len(self._state.connections)

    async def stop(self) -> None:
        """Every connection is cut, every request ends; nothing is left in the loop."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        for connection in cast("list[_SimConnection]", list(self._state.connections)):
            connection.transport.abort()
            await connection.gone.wait()
        tasks = list(self._state.tasks)
        if tasks:
            await asyncio.wait(tasks)
        self.log.close()


async def serve_forever(host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None:
    """Until a signal says stop. A port that is taken is an OSError."""
    server = SimServer(Script.load(script) if script is not None else None, SimLog(log), pace)
    await server.start(host, port)
    shown = f"[{host}]" if ":" in host else host
    print(f"simulator: http://{shown}:{server.port}/v1 (every answer is made up)", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    try:
        await stop.wait()
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)
        await server.stop()
