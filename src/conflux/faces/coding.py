"""Bodies that came compressed: gzip, deflate, zstd.

Law: what counts is the size after decompression, and it is counted while decompressing, so that a bomb costs no more
than a plain body of the limit. A small body is done at once; a large one beside the loop. A coding nobody here reads is
refused by name.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Iterator

from conflux.neutral.errors import GatewayError, Kind, invalid

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPTED = b"gzip, deflate, zstd"

_STEP = 64 * 1024
_AT_ONCE = 256 * 1024  # bytes, in and out, that the loop itself does: about a millisecond
_MEMBERS_MOST = 1000
_WINDOW_LOG_MOST = 23  # 8 MiB, as HTTP has it


def check_coding(coding: bytes | None) -> None:
    if coding is not None and coding not in _READERS:
        shown = coding.decode("latin-1")[:40]
        text = f"content-encoding {shown!r} is not read here: send one of {ACCEPTED.decode()}, or plain JSON"
        raise GatewayError(Kind.UNKNOWN_CODING, text)


async def decoded(body: bytes, coding: bytes, most: int) -> bytes:
    """The body as it was before `coding`. Raises GatewayError where it is over `most`, broken, or nobody's coding."""
    check_coding(coding)
    reading = _Reading(_READERS[coding](body), most)
    if len(body) <= _AT_ONCE and reading.on(_AT_ONCE):
        return reading.whole()
    await asyncio.to_thread(reading.on, most + 1)
    return reading.whole()


class _Reading:
    def __init__(self, pieces: Iterator[bytes], most: int) -> None:
        self._pieces = pieces
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0

    def on(self, upto: int) -> bool:
        """Decompress until there are so many bytes. True when that is all."""
        try:
            for piece in self._pieces:
                self._parts.append(piece)
                self._size += len(piece)
                if self._size > self._most:
                    raise GatewayError(Kind.TOO_LARGE, f"the body is over the limit of {self._most} bytes")
                if self._size >= upto:
                    return False
        except (zlib.error, zstd.ZstdError, ValueError) as error:
            raise invalid(f"the body is not what its content-encoding says: {error}") from None
        return True

    def whole(self) -> bytes:
        return b"".join(self._parts)


def _inflated(body: bytes, wbits: int) -> Iterator[bytes]:
    for _ in range(_MEMBERS_MOST):
        one = zlib.decompressobj(wbits)
        rest = body
        while not one.eof:
            piece = one.decompress(rest, _STEP)
            rest = one.unconsumed_tail
            if piece:
                yield piece
            elif not one.eof and not rest:
                raise ValueError("it ends too early")
        body = one.unused_data
        if not body:
            return
        if wbits != _GZIP:
            raise ValueError("something follows its end")
    raise ValueError(f"it has more than {_MEMBERS_MOST} parts")


_GZIP = 31


def _gunzipped(body: bytes) -> Iterator[bytes]:
    return _inflated(body, _GZIP)


def _deflated(body: bytes) -> Iterator[bytes]:
    """As the standard has it, in zlib's frame; or bare, as many send it."""
    framed = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, 15 if framed else -15)


def _unzstd(body: bytes) -> Iterator[bytes]:
    for _ in range(_MEMBERS_MOST):
        one = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MOST})
        rest = body
        while not one.eof:
            if one.needs_input and not rest:
                raise ValueError("it ends too early")
            piece = one.decompress(rest, _STEP)
            rest = b""
            if piece:
                yield piece
        body = one.unused_data
        if not body:
            return
    raise ValueError(f"it has more than {_MEMBERS_MOST} parts")


def _plain(body: bytes) -> Iterator[bytes]:
    return iter((body,))


_READERS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"gzip": _gunzipped,
    b"x-gzip": _gunzipped,
    b"deflate": _deflated,
    b"zstd": _unzstd,
    b"identity": _plain,
}
