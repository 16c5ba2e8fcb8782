"""How a plan goes out: its pace, what the log knows meanwhile, and a client that leaves."""

import asyncio
import json

import pytest

from conflux.sim.server import SimServer
from tests.sim.client import chat, request, say, until
from tests.sim.conftest import Starter


async def opened(sim: SimServer, text: str, **fields: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(request(json.dumps(chat(text, **fields)).encode()))
    return reader, writer


@pytest.mark.parametrize("stream", [False, True])
async def test_a_pace_is_kept(sim: SimServer, stream: bool) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    answer = await say(sim.port, "[[stream: 8 tokens at 40/s]]", stream=stream)
    assert answer.whole and clock() - began >= 0.2  # never faster; how much slower is the machine's affair


async def test_a_server_has_a_pace_and_a_marker_another(start: Starter) -> None:
    sim = await start(pace=0.001)
    assert (await say(sim.port, "[[stream: 20 tokens at 1000/s]]", stream=True)).whole
    assert sim.log.records[0].tokens == 20


async def test_a_first_byte_that_takes_its_time(sim: SimServer) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    assert (await say(sim.port, "[[slow-first: 100]]", stream=True)).whole
    assert clock() - began >= 0.1


async def test_the_log_follows_a_paced_stream(sim: SimServer) -> None:
    reader, writer = await opened(sim, "[[stream: 1000 tokens at 100/s]]", stream=True)
    await reader.readuntil(b'"content":"004 "')
    (record,) = sim.log.records
    assert record.ended == "open" and 5 <= record.tokens < 1000 and record.bytes > 0
    writer.close()
    await until(lambda: sim.log.open == 0)
    assert record.ended == "client left" and record.tokens < 1000


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("[[slow-first: 3600000]]", True),
        ("[[slow-first: 3600000]]", False),
        ("[[stream: 10 tokens at 0.001/s]]", True),
        ("[[stream: 10 tokens at 0.001/s]]", False),
    ],
)
async def test_a_client_that_leaves_is_noticed_at_once(sim: SimServer, text: str, stream: bool) -> None:
    _, writer = await opened(sim, text, stream=stream)
    await until(lambda: len(sim.log.records) == 1)
    writer.close()
    await until(lambda: sim.log.open == 0)
    assert sim.log.records[0].ended == "client left"
    assert sim.log.records[0].tokens == 0


async def test_a_client_that_does_not_read_holds_the_stream(sim: SimServer) -> None:
    """Back-pressure: what is not read is not made. 200,000 tokens would be 50 MB."""
    reader, writer = await opened(sim, "[[stream: 200000]]", stream=True)
    await reader.readuntil(b"\r\n\r\n")
    await until(lambda: sim.log.records[0].bytes > 0)
    for _ in range(200):
        await asyncio.sleep(0)
    writer.transport.abort()
    await until(lambda: sim.log.open == 0)
    assert sim.log.records[0].ended == "client left"
    assert sim.log.records[0].tokens < 200_000


async def test_ten_thousand_tokens_leave_in_blocks(sim: SimServer) -> None:
    answer = await say(sim.port, "[[stream: 10000]]", stream=True)
    assert answer.whole and len(answer.chunks) == 10_002
    assert sim.log.records[0].tokens == 10_000
    # A block is many events: a write each would be 10,000 system calls.
    assert answer.raw.count(b"\r\n") < 2_000


async def test_bytes_of_the_log_are_the_bodys(sim: SimServer) -> None:
    for stream in (False, True):
        answer = await say(sim.port, "hello", stream=stream)
        await until(lambda: sim.log.open == 0)
        assert sim.log.records[-1].bytes == len(answer.body)
        assert sim.log.records[-1].ended == "done"
