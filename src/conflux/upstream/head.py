"""The head of a request, in one piece.

Law: the connection's own headers are ours, all others are the caller's, sent exactly as given. What could end a line
early, name a second header or change the framing is refused with ValueError, before a socket is touched.
"""

import re

from conflux.neutral.ports import Outbound

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


def request_head(call: Outbound, prefix: bytes, fixed: bytes) -> bytes:
    """`prefix`: what stands before the path for a proxy; `fixed`: the connection's own header lines."""
    path, method = call.path, call.method
    if path[:1] != "/" or not path.isascii() or not path.isprintable() or " " in path:
        raise ValueError(f"the path {path!r} must start with / and hold neither spaces nor control characters")
    if method != "POST" and (not _METHOD.fullmatch(method) or method == "CONNECT"):
        raise ValueError(f"the method {method!r} must be in capital letters, and not CONNECT")
    if _LINES.fullmatch(call.head) is None:
        _check_lines(call.head)
    lines = [method.encode(), b" ", prefix, path.encode(), b" HTTP/1.1\r\n", fixed, call.head]
    for name, value in call.headers:
        _check(name, value)
        lines += (name, b": ", value, b"\r\n")
    if call.body or method in _WITH_LENGTH:
        lines.append(b"content-length: %d\r\n" % len(call.body))
    lines.append(b"\r\n")
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
