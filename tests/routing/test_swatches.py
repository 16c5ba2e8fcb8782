"""Pictures of one colour that any reader of PNG takes."""

import base64
import struct
import zlib

import pytest

from conflux.routing.swatches import COLOURS, swatch


@pytest.mark.parametrize("colour", COLOURS)
def test_every_pixel_has_the_colour(colour: str) -> None:
    kind, _, data = swatch(colour).partition(",")
    png = base64.b64decode(data)
    assert kind == "data:image/png;base64" and png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        name, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert struct.unpack(">I", png[place + 8 + size : place + 12 + size])[0] == zlib.crc32(name + body)
        chunks[name] = body
        place += 12 + size
    width, height, depth, colours = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (width, height, depth, colours) == (64, 64, 8, 2)
    assert zlib.decompress(chunks[b"IDAT"]) == (b"\0" + bytes(COLOURS[colour]) * 64) * 64


def test_no_two_are_alike() -> None:
    assert len({swatch(colour) for colour in COLOURS}) == 8
