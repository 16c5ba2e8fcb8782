"""The simulator as a running server, in this event loop or on its own.

Law: started on a port that was free, stopped whole. It lives on the loopback: it is no provider to anybody else.
"""

import asyncio
import socket
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from conflux.sim.app import ABORT, SimApp
from conflux.sim.log import SimLog
from conflux.sim.script import Script


class _SimConnection(HttpToolsProtocol):
    """Lets a fault abort the connection, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast(dict[str, Any], self.scope)
        scope[ABORT] = self._abort
        scope["conflux.sim.lost"] = self._is_lost

    def _abort(self) -> None:
        # SO_LINGER 0: the client sees a reset, not a polite end.
        found = self.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.transport.abort()

    def _is_lost(self) -> bool:
        return self.transport.is_closing()


class SimServer:
    def __init__(self, script: Script | None = None, log: SimLog | None = None, pace: float = 0.0) -> None:
        self.app = SimApp(script, log, pace)
        self.log = self.app.log
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listening when it returns. The port it got."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app, http=_SimConnection, ws="none", log_config=None, access_log=False, lifespan="off",
            timeout_graceful_shutdown=0, server_header=False, date_header=False, timeout_keep_alive=120,
        )  # fmt: skip
        server = self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(server._serve([listener]))
        while not server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.001)
        return self.port

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections) if self._server is not None else 0

    async def stop(self) -> None:
        if self._server is None or self._task is None:
            return
        self._server.should_exit = self._server.force_exit = True
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        for task in list(self._server.server_state.tasks):
            task.cancel()
        await self._task
        self._server = None
        self.log.close()


async def serve_forever(host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None:
    server = SimServer(Script.load(script) if script is not None else None, SimLog(log), pace)
    await server.start(host, port)
    print(f"simulator: http://{host}:{server.port}/v1 (every answer is made up)", flush=True)
    assert server._task is not None
    await server._task
