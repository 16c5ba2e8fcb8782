"""One connection: the short way, in order, with deadlines, and ears for the hang-up."""

import asyncio
import json

import pytest

from conflux.faces.connection import announced, connection_of
from conflux.faces.http import Limits
from tests.faces.door import Door, opened
from tests.relay.answers import request, whole
from tests.relay.shops import shop
from tests.relay.world import KEY, World

PATH = "/v1/chat/completions"


def call(body: bytes, *headers: str, close: bool = False) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", "host: here", f"authorization: Bearer {KEY}", f"content-length: {len(body)}",
             *headers, *(["connection: close"] if close else []), "", ""]  # fmt: skip
    return "\r\n".join(lines).encode() + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split(b" ")[1]), await reader.readexactly(length)


def text_of(body: bytes) -> str:
    return str(json.loads(body)["choices"][0]["message"]["content"])


def test_a_length_is_announced_or_not() -> None:
    assert announced([(b"content-length", b"12")]) == 12
    assert announced([]) == 0


def test_another_servers_scope_has_no_connection_of_ours() -> None:
    assert connection_of({}) is None
    assert connection_of({"conflux.connection": object()}) is None


async def test_a_connection_serves_request_after_request() -> None:
    async with opened(World(shop(), whole("one"), whole("two"))) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        for wanted in ("one", "two"):
            writer.write(call(request()))
            status, body = await read_answer(reader)
            assert (status, text_of(body)) == (200, wanted)
        writer.close()


@pytest.mark.parametrize("cut", [1, 7, 60])
async def test_a_request_may_come_in_any_pieces(cut: int) -> None:
    data = call(request(), close=True)
    async with opened(World(shop(), whole("pieces"))) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        for start in range(0, len(data), cut):
            writer.write(data[start : start + cut])
            await writer.drain()
            await asyncio.sleep(0)
        status, body = await read_answer(reader)
        assert (status, text_of(body)) == (200, "pieces")
        writer.close()


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with opened(World(shop(), whole("first"), whole("second"), whole("third"))) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(call(request()) * 3)
        answers = [text_of((await read_answer(reader))[1]) for _ in range(3)]
        assert answers == ["first", "second", "third"]
        writer.close()


async def test_a_slow_request_is_told_and_left() -> None:
    async with opened(World(shop()), Limits(body_seconds=0.2)) as door:
        head, body = await door.ask(call(request())[:-5])
        assert b" 400 " in head and b"too long to arrive" in body


async def test_what_is_not_http_is_told_and_left() -> None:
    world = World(shop())
    async with opened(world) as door:
        head, _ = await door.ask(b"not http at all\r\n\r\n")
        assert b" 400 " in head
    assert world.journal == []


async def _hang_up(door: Door, world: World, data: bytes) -> None:
    """Send, wait until the upstream has it, leave, and wait for the settlement."""
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(data)
    async with asyncio.timeout(10):
        while "send" not in world.journal:
            await asyncio.sleep(0.001)
        writer.transport.abort()
        while not world.ledger.settled:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hang_up_is_heard_and_settled(stream: bool) -> None:
    world = World(shop(), whole("never read"))
    forever = asyncio.Event()

    async def wait(*_: object) -> None:
        world.note("send")
        await forever.wait()

    world.upstream.send = wait  # type: ignore[method-assign,assignment]
    async with opened(world) as door:
        await _hang_up(door, world, call(request(stream=stream)))
        assert world.settled.charge == 0 and world.settled.ending.value == "cancelled"
