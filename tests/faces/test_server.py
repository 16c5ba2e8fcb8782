"""Sockets bound by us, signals left alone."""

import asyncio
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.server import bind_tcp, bind_unix, make_server, reachable
from conflux.neutral.errors import ConfigError


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}: .*--port"):
            bind_tcp("127.0.0.1", port)


def test_an_address_that_is_none_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 256\.1\.1\.1"):
        bind_tcp("256.1.1.1", 0)


def test_a_control_socket_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("left over")
    with bind_unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_ISSOCK(path.stat().st_mode)


def test_a_long_path_is_reachable_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    path = folder / "control.sock"
    with bind_unix(path) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.listen()
        with reachable(path) as address:
            assert len(address) < 100
            client.connect(address)


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot make the control socket"):
        bind_unix(tmp_path / "nowhere" / "control.sock")


def test_signals_stay_with_the_process() -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    with make_server(None, graceful=1).capture_signals():
        assert signal.getsignal(signal.SIGTERM) is before


def test_forwarded_headers_count_only_from_named_proxies() -> None:
    assert make_server(None, graceful=1).config.proxy_headers is False
    named = make_server(None, graceful=1, trusted_proxies=["10.0.0.1"]).config
    assert named.proxy_headers is True and named.forwarded_allow_ips == ["10.0.0.1"]


async def test_last_words_are_said_before_the_server_has_stopped() -> None:
    """What is cancelled at the deadline still settles: whoever closes the ledger waits for it."""
    said: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        said.append("asked")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.3)  # a commit takes its time
            said.append("settled")

    listener = bind_tcp("127.0.0.1", 0)
    server = make_server(app, graceful=1)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0)
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    while not said:
        await asyncio.sleep(0.01)
    server.should_exit = True
    await task
    assert said == ["asked", "settled"]
    writer.close()
