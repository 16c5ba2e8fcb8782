"""A request of the short way, and the words of HTTP that whoever reads or answers one needs.

Law: no connection here, and nothing that waits.
"""

import fcntl
import struct
import termios
from http import HTTPStatus
from typing import Any

import msgspec

from conflux.neutral.ports import Headers

BODILESS = (204, 304)  # no body to have a length

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
} | {529: b"HTTP/1.1 529 Overloaded\r\n", 499: b"HTTP/1.1 499 Client Closed Request\r\n"}  # fmt: skip


class ShortRequest(msgspec.Struct):
    """A request of the short way as it arrived, whole."""

    url: bytes
    headers: Headers
    body: bytes
    method: bytes = b"POST"
    named: dict[bytes, bytes] = {}  # the headers by name, the last of a name


def announced(headers: Headers) -> int:
    """The length that a request says it has; llhttp has seen to it that it is one number."""
    return int(dict(headers).get(b"content-length", b"0"))


def untaken(transport: Any) -> int:
    """The bytes of an answer that the client has not taken: ours, and those the system still keeps for it."""
    size: int = transport.get_write_buffer_size()
    found = transport.get_extra_info("socket")
    try:
        kept = fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except (OSError, ValueError):
        return size  # a kind of socket that does not tell
    return size + int(struct.unpack("i", kept)[0])
