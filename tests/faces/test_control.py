"""The control socket: both ends of it."""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.control import SOCKET_NAME, ControlFace, ask, server_runs
from conflux.faces.server import bind_unix, make_server, reachable
from conflux.neutral.errors import ConfigError, NoSuch, StoreError


class Orders:
    """Operations that only note what they were told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def run(self, name: str, params: dict[str, Any]) -> Any:
        self.heard.append((name, params))
        match name:
            case "mistakes":
                raise ConfigError(["this is wrong", "and that"])
            case "nobody":
                raise NoSuch(["nobody is there"])
            case "no.room":
                raise StoreError("disk full")
            case "broken":
                raise ZeroDivisionError("ours")
            case _:
                return {"name": name, "params": params}


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Orders]:
    orders = Orders()
    server = make_server(ControlFace(orders), graceful=1)
    task = asyncio.create_task(server.serve([bind_unix(folder / SOCKET_NAME)]))
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield orders
    finally:
        server.should_exit = True
        await task


async def told(folder: Path, operation: str, params: dict[str, Any]) -> Any:
    return await asyncio.to_thread(ask, folder, operation, params)


async def test_an_order_and_its_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as orders:
        params = {"name": "ü", "models": ["a/b"], "deep": {"x": None}}
        assert await told(tmp_path, "keys.create", params) == {"name": "keys.create", "params": params}
    assert orders.heard == [("keys.create", params)]


async def test_a_folder_with_a_long_name_works_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40) / ("longer" * 20)
    folder.mkdir(parents=True)
    async with served(folder):
        assert server_runs(folder)
        assert (await told(folder, "server.status", {}))["name"] == "server.status"


@pytest.mark.parametrize(
    ("operation", "words"),
    [("mistakes", ["this is wrong", "and that"]), ("no.room", ["the ledger cannot do this now: disk full"])],
)
async def test_mistakes_come_back_line_by_line(tmp_path: Path, operation: str, words: list[str]) -> None:
    async with served(tmp_path):
        with pytest.raises(ConfigError) as found:
            await told(tmp_path, operation, {})
    assert found.value.problems == words


async def test_what_is_not_there_comes_back_as_that(tmp_path: Path) -> None:
    async with served(tmp_path):
        with pytest.raises(NoSuch, match="nobody is there"):
            await told(tmp_path, "nobody", {})


async def test_a_failure_of_ours_is_told_and_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(tmp_path):
        with pytest.raises(ConfigError) as found:
            await told(tmp_path, "broken", {})
        assert "its log says where" in str(found.value)
        assert "ZeroDivisionError" in capsys.readouterr().err
        assert (await told(tmp_path, "next", {}))["name"] == "next"


def raw(folder: Path, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, reachable(folder / SOCKET_NAME) as address:
        client.connect(address)
        client.sendall(f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.status, response.read()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/admin/api/v1/server.status", b"", 404),
        ("POST", "/", b"{}", 404),
        ("POST", "/v1/chat/completions", b"{}", 404),
        ("POST", "/admin/api/v1/x", b"[]", 400),
        ("POST", "/admin/api/v1/x", b"{", 400),
        ("POST", "/admin/api/v1/x", b"", 200),
    ],
)
async def test_what_is_no_order(tmp_path: Path, method: str, path: str, body: bytes, status: int) -> None:
    async with served(tmp_path) as orders:
        found, answer = await asyncio.to_thread(raw, tmp_path, method, path, body)
        assert found == status
        assert (b"problems" in answer) == (status != 200)
        assert bool(orders.heard) == (status == 200)


async def test_half_an_order_is_none(tmp_path: Path) -> None:
    async with served(tmp_path) as orders:
        with reachable(tmp_path / SOCKET_NAME) as address:
            _, writer = await asyncio.open_unix_connection(address)
        writer.write(b'POST /admin/api/v1/keys.revoke HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n{"id": "1"}')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await told(tmp_path, "next", {}))["name"] == "next"
    assert [name for name, _ in orders.heard] == ["next"]


def test_no_server_and_a_leftover_of_one_do_not_run(tmp_path: Path) -> None:
    assert not server_runs(tmp_path)
    bind_unix(tmp_path / SOCKET_NAME).close()
    assert (tmp_path / SOCKET_NAME).exists()
    assert not server_runs(tmp_path)
    with pytest.raises(ConfigError, match="did not answer"):
        ask(tmp_path, "server.status", {})


def test_an_answer_that_is_none_is_one_line(tmp_path: Path) -> None:
    import threading

    def talk_nonsense(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        taken.recv(65536)
        taken.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nwhy")
        taken.close()

    listener = bind_unix(tmp_path / SOCKET_NAME)
    listener.setblocking(True)
    listener.listen()
    thread = threading.Thread(target=talk_nonsense, args=(listener,))
    thread.start()
    with pytest.raises(ConfigError) as found:
        ask(tmp_path, "server.status", {})
    thread.join()
    listener.close()
    assert len(found.value.problems) == 1 and str(tmp_path) in found.value.problems[0]
