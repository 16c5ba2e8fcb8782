"""Server-sent events, as bytes in and out.

Law: a reader fed the same bytes in any cuts yields the same events. Lines end in LF, CRLF or CR; only
"data" and "event" fields mean anything to us; an event without data is none. Nothing here decodes text,
so a cut inside a UTF-8 character is harmless. A writer never emits a raw line break inside a field.
"""

DEFAULT_LIMIT = 8 * 1024 * 1024


class SseError(Exception):
    """An event grew past the limit: an endless line, or no event stream at all."""


class SseReader:
    """Bytes in, (event name, data) pairs out."""

    __slots__ = ("_buffer", "_limit", "_searched", "_started")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._limit = limit
        self._started = False

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if not self._buffer and self._started and data[-2:] == b"\n\n" and b"\r" not in data:
            return _blocks(data)  # the common case: whole events, nothing held back
        return self._feed_slowly(data)

    def _feed_slowly(self, data: bytes) -> list[tuple[bytes, bytes]]:
        buffer = self._buffer
        if buffer[-1:] == b"\r":
            # A CR was held back until we knew whether an LF belongs to it.
            del buffer[-1]
            data = b"\r" + data
        held = data[-1:] == b"\r"
        body = data[:-1] if held else data
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        buffer += body
        if not self._started and buffer:
            if len(buffer) < 3 and b"\xef\xbb\xbf".startswith(bytes(buffer)):
                return []
            if buffer.startswith(b"\xef\xbb\xbf"):
                del buffer[:3]
            self._started = True
        end = buffer.rfind(b"\n\n", max(self._searched - 1, 0))
        events: list[tuple[bytes, bytes]] = []
        if end >= 0:
            events = _blocks(bytes(buffer[: end + 2]))
            del buffer[: end + 2]
            # A block may begin with blank lines that belonged to the one before.
        self._searched = len(buffer)
        if len(buffer) > self._limit:
            raise SseError(f"an event of more than {self._limit} bytes")
        if held:
            buffer += b"\r"
        return events

    def end(self) -> list[tuple[bytes, bytes]]:
        """What an upstream left without its closing blank line: it counts, since real ones do that."""
        rest, self._buffer = bytes(self._buffer).rstrip(b"\r"), bytearray()
        return _blocks(rest) if rest else []


def _blocks(data: bytes) -> list[tuple[bytes, bytes]]:
    events = []
    for block in data.split(b"\n\n"):
        if not block:
            continue
        if block.startswith(b"data: ") and b"\n" not in block:
            events.append((b"", block[6:]))
            continue
        found = _fields(block)
        if found is not None:
            events.append(found)
    return events


def _fields(block: bytes) -> tuple[bytes, bytes] | None:
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return (name, b"\n".join(data)) if data else None


def write_data(data: bytes) -> bytes:
    """One unnamed event. The data is JSON or a fixed word, so it holds no line break."""
    return b"data: " + data + b"\n\n"


def write_event(name: bytes, data: bytes) -> bytes:
    return b"event: " + name + b"\ndata: " + data + b"\n\n"
