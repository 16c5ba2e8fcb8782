"""The server: started where it is told, stopped whole, and by itself a program that a signal ends."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.sim.client import chat, request, say, until
from tests.sim.conftest import Starter

SOURCES = Path(__file__).parents[2] / "src"


async def test_it_listens_on_a_free_port_and_no_longer_when_stopped() -> None:
    sim = SimServer()
    port = await sim.start()
    assert port == sim.port > 0
    assert (await say(port, "hi")).status == 200
    await sim.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await sim.stop()


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await SimServer().start(port=taken.getsockname()[1])


async def test_a_connection_serves_many_and_is_counted(sim: SimServer) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(f"http://127.0.0.1:{sim.port}/v1/chat/completions", json=chat("hi")) as answer:
                assert answer.status == 200
                await answer.read()
        assert sim.connections == 1
    await until(lambda: sim.connections == 0)


async def test_stopping_leaves_nothing(start: Starter, caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    sim = await start()
    writers = []
    for text in ("[[fail: stall-before]]", "[[stream: 9 tokens at 0.01/s]]", "[[slow-first: 99999]]", None):
        _, writer = await asyncio.open_connection("127.0.0.1", sim.port)
        if text is not None:
            writer.write(request(json.dumps(chat(text, stream=True)).encode()))
        writers.append(writer)
    await until(lambda: sim.log.open == 3 and sim.connections == 4)
    await sim.stop()
    assert sim.connections == 0 and sim.log.open == 0
    assert asyncio.all_tasks() == before
    for writer in writers:
        writer.close()
    assert caplog.messages == [], "a stop is nothing to complain about"


async def test_stopping_cuts_an_idle_connection() -> None:
    sim = SimServer()
    reader, _ = await asyncio.open_connection("127.0.0.1", await sim.start())
    await until(lambda: sim.connections == 1)
    await sim.stop()
    assert sim.connections == 0
    assert await reader.read() == b""


async def test_a_hundred_clients_that_break_off(sim: SimServer, caplog: pytest.LogCaptureFixture) -> None:
    async def leave(after: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
        writer.write(request(json.dumps(chat("[[stream: 500 tokens at 5000/s]]", stream=True)).encode()))
        await reader.readexactly(after)
        writer.transport.abort()

    before = asyncio.all_tasks()
    await asyncio.gather(*(leave(after * 100 + 1) for after in range(100)))
    await until(lambda: sim.connections == 0 and sim.log.open == 0)
    await until(lambda: asyncio.all_tasks() == before)
    assert {record.ended for record in sim.log.records} <= {"client left", "done"}
    assert caplog.messages == []


async def test_it_can_be_started_again() -> None:
    sim = SimServer()
    for _ in range(2):
        assert (await say(await sim.start(), "hi")).status == 200
        await sim.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_program(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "s.toml").write_text('[[rule]]\ndo = "[[say: scripted]]"\n')
    code = (
        "import asyncio, pathlib, sys\n"
        "from conflux.sim.server import serve_forever\n"
        "asyncio.run(serve_forever('127.0.0.1', 0, pathlib.Path('s.toml'), pathlib.Path('log'), 0.0))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = (await process.stdout.readline()).decode()
        port = int(said.split("127.0.0.1:")[1].split("/")[0])
        assert (await say(port, "hi")).content == "scripted"
        # The gateway's crash does not take the log's word with it: it is in the file while all still runs.
        assert [json.loads(line)["ended"] for line in (tmp_path / "log").read_text().splitlines()] == ["open", "done"]
    finally:
        process.send_signal(number)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_a_script_is_taken() -> None:
    assert SimServer(Script(pace=3)).app.pace == 3
