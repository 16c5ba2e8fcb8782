"""One connection: what was sent is counted, who left is noticed."""

import asyncio
from typing import Any

import pytest

from conflux.sim.line import WIRE, ClientLeft, Line
from tests.sim.client import until

DISCONNECT = {"type": "http.disconnect"}


class Client:
    """The other end, as ASGI shows it."""

    def __init__(self, *body: dict[str, Any]) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        for event in body:
            self.events.put_nowait(event)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def line(self, headers: list[tuple[bytes, bytes]] | None = None, **scope: Any) -> Line:
        return Line({"path": "/p", "headers": headers or [], **scope}, self.events.get, self.send)

    def leave(self) -> None:
        self.events.put_nowait(DISCONNECT)


def part(data: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


async def test_a_body_in_parts() -> None:
    line = Client(part(b"ab", more=True), part(b"", more=True), part(b"c", more=False)).line()
    assert await line.body() == b"abc"


async def test_a_client_that_leaves_while_it_speaks() -> None:
    with pytest.raises(ClientLeft):
        await Client(part(b"ab", more=True), DISCONNECT).line().body()


def test_a_header_that_came_twice_keeps_both() -> None:
    line = Client().line([(b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2")])
    assert line.headers == {"a": "1, 2", "b": "\xe9"}


async def test_bytes_are_counted_and_a_reply_is_sized() -> None:
    client = Client()
    line = client.line()
    await line.reply(418, b"abc", [(b"x", b"y")])
    assert line.sent == 3
    assert client.sent == [
        {"type": "http.response.start", "status": 418, "headers": [(b"x", b"y"), (b"content-length", b"3")]},
        {"type": "http.response.body", "body": b"abc", "more_body": False},
    ]


@pytest.mark.parametrize("seconds", [3600.0, 0.001, 0.0, -1.0])
async def test_a_pause_ends_when_the_client_leaves(seconds: float) -> None:
    client = Client()
    line = client.line()
    client.leave()
    assert not line.lost  # nobody looked yet
    with pytest.raises(ClientLeft):
        async with asyncio.timeout(10):
            while True:
                await line.pause(seconds)
                await asyncio.sleep(0)
    assert line.lost


async def test_no_pause_still_leaves_others_their_turn() -> None:
    line = Client().line()
    turns: list[int] = []
    for seconds in (0.0, -5.0):
        asyncio.get_running_loop().call_soon(turns.append, 1)
        await line.pause(seconds)
    assert turns == [1, 1]
    line.close()


async def test_a_pause_is_a_pause() -> None:
    line = Client().line()
    began = asyncio.get_running_loop().time()
    await line.pause(0.01)
    await line.pause(0.26)
    assert asyncio.get_running_loop().time() - began >= 0.26
    line.close()


async def test_a_stall_ends_when_the_client_leaves() -> None:
    client = Client(part(b"late", more=False))
    line = client.line()
    stalled = asyncio.ensure_future(line.stall())
    await until(client.events.empty)
    assert not stalled.done()
    client.leave()
    await stalled


async def test_closing_stops_the_watch() -> None:
    before = asyncio.all_tasks()
    line = Client().line()
    assert not line.lost and asyncio.all_tasks() != before
    line.close()
    await until(lambda: asyncio.all_tasks() == before)


async def test_an_abort_waits_for_what_was_written() -> None:
    client = Client()

    class Wire:
        def __init__(self) -> None:
            self.left = [2, 1, 0]
            self.aborted = 0

        def unsent(self) -> int:
            return self.left.pop(0)

        def abort(self) -> None:
            assert not self.left
            self.aborted += 1
            client.leave()

        def count(self) -> int:
            return 4

    wire = Wire()
    more: dict[str, Any] = {WIRE: wire}
    line = client.line(**more)
    await line.abort()
    assert wire.aborted == 1 and line.lost and line.connections() == 4


async def test_another_server_cannot_abort() -> None:
    line = Client().line()
    with pytest.raises(ConnectionAbortedError, match="SimServer"):
        await line.abort()
    assert line.connections() == 0
