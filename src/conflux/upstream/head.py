"""The head of a request, in one piece.

Law: the connection's own headers are ours, all others are the caller's, sent exactly as given. What could end a line
early, name a second header or change the framing is refused with ValueError, before a socket is touched.
"""

import re

from conflux.neutral.ports import Headers, Outbound

_TOKEN = rb"[!#$%&'*+.^_`|~0-9a-z-]++"
_OURS = (
    rb"connection|keep-alive|proxy-[a-z-]*|te|trailers?|transfer-encoding|upgrade|host|content-length|accept-encoding"
)
# Any number of complete header lines, none of them ours. Most callers write names in lower case: that is the fast way.
_LINES = re.compile(rb"(?:(?!(?:" + _OURS + rb"):)" + _TOKEN + rb":[^\r\n\0]*+\r\n)*+")
_NAME = re.compile(_TOKEN, re.IGNORECASE)
_OUR_NAME = re.compile(_OURS, re.IGNORECASE)
_METHOD = re.compile("[A-Z]+")
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_MOST_BEGUN = 256  # models have paths of their own, tokens change by the hour


class Heads:
    """The heads to one place. `prefix`: what stands before the path for a proxy; `fixed`: the connection's own lines.

    How a head begins is the same for many requests: it is looked at and put together once.
    """

    def __init__(self, prefix: bytes, fixed: bytes) -> None:
        self._prefix = prefix
        self._fixed = fixed
        self._begun: dict[tuple[str, str, bytes], bytes] = {}

    def of(self, call: Outbound) -> bytes:
        key = (call.method, call.path, call.head)
        begun = self._begun.get(key)
        if begun is None:
            if len(self._begun) >= _MOST_BEGUN:
                self._begun.clear()
            begun = self._begun[key] = self._begin(call)
        if _LINES.fullmatch(call.tail) is None:
            _check_lines(call.tail)
        size = len(call.body)
        if call.headers:
            begun += _named(call.headers)
        if size or call.method in _WITH_LENGTH:
            return b"%b%bcontent-length: %d\r\n\r\n" % (begun, call.tail, size)
        return begun + call.tail + b"\r\n"

    def _begin(self, call: Outbound) -> bytes:
        path, method = call.path, call.method
        if path[:1] != "/" or not path.isascii() or not path.isprintable() or " " in path:
            raise ValueError(f"the path {path!r} must start with / and hold neither spaces nor control characters")
        if method != "POST" and (not _METHOD.fullmatch(method) or method == "CONNECT"):
            raise ValueError(f"the method {method!r} must be in capital letters, and not CONNECT")
        if _LINES.fullmatch(call.head) is None:
            _check_lines(call.head)
        line = b"".join((method.encode(), b" ", self._prefix, path.encode(), b" HTTP/1.1\r\n"))
        return line + self._fixed + call.head


def _named(headers: Headers) -> bytes:
    lines: list[bytes] = []
    for name, value in headers:
        _check(name, value)
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def _check_lines(head: bytes) -> None:
    """The slow way: names in capitals are fine, or the text says what is not."""
    for line in head.split(b"\r\n")[:-1]:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError(f"{line[:60]!r} is no header line")
        _check(name, value)
    if not head.endswith(b"\r\n"):
        raise ValueError("the header lines do not end with a line break")


def _check(name: bytes, value: bytes) -> None:
    """Never shows the value: it may be a secret."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"the header name {name[:60]!r} holds a line break, a space or another character no name has")
    if _OUR_NAME.fullmatch(name):
        raise ValueError(f"the header {name.decode()} belongs to the connection, not to the caller")
    if b"\r" in value or b"\n" in value or b"\0" in value:
        raise ValueError(f"the header {name.decode()} holds a line break or a NUL in its value")
