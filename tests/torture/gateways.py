"""Gateways under torture: real processes on real databases, killed and started again.

Law: everything is asked for from outside. A gateway is ready when it has printed its address.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
MODEL = "conflux/deepseek-v4-pro"


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CONFLUX_") and not name.startswith("DATABASE_")
    }
    path = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    return {**kept, "PYTHONPATH": path, "CONFLUX_REFRESH__ENABLED": "false", **more}


class Gateway:
    """Started, killed, started again on the same data and port."""

    def __init__(self, folder: Path, upstream: int, url: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.port = 0
        self._config = folder / "conflux.toml"
        self._config.write_text(
            f'[[provider]]\nid = "local"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:{upstream}/v1"\n'
            '[[pool]]\nid = "deepseek-v4-pro"\n[[pool.target]]\nprovider = "local"\nmodel = "upstream-model"\n'
        )
        self._environment = environment(**({"DATABASE_URL": url} if url is not None else {}))
        self.process: asyncio.subprocess.Process | None = None
        self.start_cpu = 0.0  # seconds of the processor, of the start that took most: what a busy machine cannot change

    def _flags(self) -> list[str]:
        return ["--config", str(self._config), "--data", str(self.data)]

    async def start(self, point: str | None = None, visit: int = 0) -> float:
        """How long it took. `point`: where it is to die by itself."""
        began = time.monotonic()
        program = ["conflux"] if point is None else ["tests.torture.serve", point, str(visit)]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *program, "serve", *self._flags(), "--port", str(self.port),
                stdout=asyncio.subprocess.PIPE, stderr=log, env=self._environment, cwd=ROOT,
            )  # fmt: skip
        assert self.process.stdout is not None
        while True:
            line = (await asyncio.wait_for(self.process.stdout.readline(), READY_SECONDS)).decode()
            if not line:
                raise RuntimeError("the gateway did not start: " + (self.folder / "serve.log").read_text()[-2000:])
            if "address" in line:
                self.port = int(line.rsplit(":", 1)[1])
                self.start_cpu = max(self.start_cpu, _cpu_seconds(self.process.pid))
                return time.monotonic() - began

    @property
    def running(self) -> "asyncio.subprocess.Process":
        assert self.process is not None, "not started"
        return self.process

    async def kill(self) -> None:
        if self.running.returncode is None:
            self.running.send_signal(signal.SIGKILL)
        await self.running.wait()

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 60)

    async def command(self, *words: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "conflux", *words, *self._flags(),
            stdout=asyncio.subprocess.PIPE, env=self._environment, cwd=ROOT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return out

    async def receipts(self) -> list[dict[str, Any]]:
        out = await self.command("ledger", "export", "--format", "jsonl")
        return [msgspec.json.decode(line) for line in out.splitlines()]


def _cpu_seconds(pid: int) -> float:
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


class Site:
    """All the gateways of a run: one on SQLite, several on one PostgreSQL."""

    def __init__(self, folder: Path, upstream: int, replicas: int = 0, server: Server | None = None) -> None:
        self._folder = folder
        self.server = server
        self.url = None if server is None else server.url(server.database())
        self.gateways = [Gateway(folder / str(place), upstream, self.url) for place in range(max(replicas, 1))]

    async def start(self) -> str:
        """The secret of a key."""
        first, *others = self.gateways
        await first.start()
        words = ("keys", "create", "--storefront", "conflux", "--name", "torture", "--budget-usd", "100000", "--json")
        key: str = msgspec.json.decode(await first.command(*words))["key"]
        for one in others:
            one.data.mkdir(mode=0o700)
            for name in ("pepper", "encryption.key"):
                shutil.copy2(first.data / name, one.data / name)
            await one.start()
        return key

    async def stop(self) -> None:
        for one in self.gateways:
            await one.stop()
