"""Patience with a client that reads slowly."""

import asyncio
import socket
from typing import Any

import pytest

from conflux.faces import patience
from conflux.faces.patience import Patience, untaken


class Line:
    """As much of a transport as is looked at."""

    def __init__(self, sock: socket.socket | None) -> None:
        self.size = 100
        self.gone = False
        self._sock = sock

    def get_write_buffer_size(self) -> int:
        return self.size

    def get_extra_info(self, name: str) -> Any:
        return self._sock

    def abort(self) -> None:
        self.gone = True


def test_what_the_system_keeps_counts_too() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.send(b"x" * 1000)
        assert untaken(Line(near)) >= 100
        near.close()
        assert untaken(Line(near)) == 100  # it does not tell


async def test_who_takes_something_is_waited_for_and_who_takes_nothing_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 3600.0)
    near, far = socket.socketpair()
    with near, far:
        line = Line(near)
        waiting = Patience(asyncio.get_running_loop(), line)
        line.size = 60
        waiting._look()
        assert not line.gone
        waiting._look()
        assert line.gone
        waiting.end()
