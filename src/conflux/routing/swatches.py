"""Pictures of one colour, made from nothing.

Law: a picture holds no word, name or number that a model which does not see could answer from.
"""

import base64
import struct
import zlib

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 20, 20),
    "green": (20, 160, 30),
    "blue": (20, 40, 220),
    "yellow": (250, 225, 20),
    "orange": (255, 140, 0),
    "purple": (128, 0, 160),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
_SIDE = 64  # pixels; some providers refuse smaller ones


def swatch(colour: str) -> str:
    """A PNG as a data URL."""
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(COLOURS[colour]) * _SIDE) * _SIDE
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
