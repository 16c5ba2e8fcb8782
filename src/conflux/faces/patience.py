"""Patience with a client that reads slower than it is written to.

Law: who takes a byte now and then is waited for; who takes none for minutes has vanished, or never reads, and would
keep its place, its hold and the upstream's answer for as long as it likes.
"""

import asyncio
import fcntl
import struct
import termios
from typing import Any

# A window opens in steps of up to 64 KiB: at 1 KB/s, one a minute.
SECONDS = 300.0


class Patience:
    """From the moment a connection's buffer is full until it has room again."""

    __slots__ = ("_loop", "_timer", "_transport", "_untaken")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: Any) -> None:
        self._loop = loop
        self._transport = transport
        self._untaken = untaken(transport)
        self._timer = loop.call_later(SECONDS, self._look)

    def end(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left = untaken(self._transport)
        if left < self._untaken:
            self._untaken = left
            self._timer = self._loop.call_later(SECONDS, self._look)
        else:
            self._transport.abort()


def untaken(transport: Any) -> int:
    """The bytes of an answer that the client has not taken: ours, and those the system still keeps for it."""
    size: int = transport.get_write_buffer_size()
    found = transport.get_extra_info("socket")
    try:
        kept = fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except (OSError, ValueError):
        return size  # a kind of socket that does not tell
    return size + int(struct.unpack("i", kept)[0])
