"""A request of the short way, and the words of HTTP that whoever reads or answers one needs.

Law: no connection here, and nothing that waits.
"""

from http import HTTPStatus

import msgspec

from conflux.neutral.ports import Headers

_UPGRADING = frozenset({b"upgrade", b"http2-settings"})
BODILESS = (204, 304)  # no body to have a length

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
} | {529: b"HTTP/1.1 529 Overloaded\r\n", 499: b"HTTP/1.1 499 Client Closed Request\r\n"}  # fmt: skip


# What is said of a request that cannot be taken, by how often it names its host.
HOSTS = {1: "this is not an HTTP/1.1 request", 0: "an HTTP/1.1 request has a Host header: this one has none"}
TWO_HOSTS = "a request has one Host header: this one has several"


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


def staying(method: bytes, url: bytes, headers: Headers) -> bytes:
    """The head of a request again, without its wish to upgrade."""
    lines = [method, b" ", url, b" HTTP/1.1\r\n"]
    for name, value in headers:
        if name == b"connection":
            value = b"close" if b"close" in value.lower() else b"keep-alive"
        if name not in _UPGRADING:
            lines += (name, b": ", value, b"\r\n")
    return b"".join(lines) + b"\r\n"
