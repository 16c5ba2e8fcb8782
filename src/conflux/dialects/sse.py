"""Server-sent events, as bytes in and out.

Law: a reader fed the same bytes in any cuts yields the same events, then the same error if there is one. Lines end in
LF, CRLF or CR; only "data" and "event" fields mean anything to us; an event without data is none. Nothing here decodes
text, so a cut inside a UTF-8 character is harmless. Memory is bounded by one event, time is linear in the bytes.
A writer never emits a raw line break inside a field.
"""

DEFAULT_LIMIT = 8 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"


class SseError(Exception):
    """An event grew past the limit: an endless line, or no event stream at all."""


class SseReader:
    """Bytes in, (event name, data) pairs out."""

    __slots__ = ("_buffer", "_limit", "_overgrown", "_searched", "_started")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._limit = limit
        self._started = False
        self._overgrown = False

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if self._alone(data) and data[:6] == b"data: ":
            return [(b"", data[6:-2])]
        if self._started and not self._buffer and data[-2:] == b"\n\n" and len(data) <= self._limit:
            return _events(data)  # the common case: whole events, nothing held back
        return self._feed_slowly(data)

    @property
    def resting(self) -> bool:
        """Does an event begin with what comes next?"""
        return self._started and not self._buffer

    def _alone(self, data: bytes) -> bool:
        """Is it one event of one line, all of it, and nothing else?"""
        return (
            self.resting
            and data.find(b"\n") == len(data) - 2
            and data[-1:] == b"\n"
            and b"\r" not in data
            and len(data) <= self._limit
        )

    def _feed_slowly(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if self._overgrown:
            raise self._too_long()
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
        if not self._started:
            if not held and len(buffer) < len(_BOM) and _BOM.startswith(bytes(buffer)):
                return []
            if buffer.startswith(_BOM):
                del buffer[: len(_BOM)]
            self._started = True
        end = buffer.rfind(b"\n\n", max(self._searched - 1, 0))
        events: list[tuple[bytes, bytes]] = []
        if end >= 0:
            whole = bytes(buffer[: end + 2])
            del buffer[: end + 2]
            events = self._events_within(whole)
        if self._grown(buffer):
            self._stop()
            if not events:
                raise self._too_long()
            return events
        self._searched = len(buffer)
        if held and not self._overgrown:
            buffer += b"\r"
        return events

    def end(self) -> list[tuple[bytes, bytes]]:
        """What an upstream left without its closing blank line: it counts, since real ones do that."""
        if self._overgrown:
            raise self._too_long()
        rest, self._buffer = bytes(self._buffer).rstrip(b"\r"), bytearray()
        return self._events_within(rest)

    def _events_within(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The events of whole blocks. One that is too long ends them: what came before it is delivered first."""
        if len(data) <= self._limit:
            return _events(data)
        events: list[tuple[bytes, bytes]] = []
        for block in data.split(b"\n\n"):
            if self._grown(block):
                self._stop()
                if not events:
                    raise self._too_long()
                break
            events += _events(block)
        return events

    def _grown(self, block: bytes | bytearray) -> bool:
        # Blank lines before an event, and the line end after it, are no part of it: where they fall is up to the cuts.
        return len(block) > self._limit and len(block.strip(b"\n")) > self._limit

    def _stop(self) -> None:
        """Nothing is kept any more; the error is raised as soon as there is nothing left to deliver."""
        self._overgrown = True
        self._started = False  # the short way is closed
        self._buffer = bytearray()

    def _too_long(self) -> SseError:
        return SseError(f"an event of more than {self._limit} bytes")


def _events(data: bytes) -> list[tuple[bytes, bytes]]:
    """The events of whole lines; what follows the last blank line counts as an event too.

    For bytes, unlike text, splitlines knows only the three line ends of an event stream.
    """
    events: list[tuple[bytes, bytes]] = []
    name = b""
    values: list[bytes] = []
    for line in data.splitlines():
        if line[:6] == b"data: ":
            values.append(line[6:])
        elif line:
            field, _, value = line.partition(b":")
            if field == b"data":
                values.append(value.removeprefix(b" "))
            elif field == b"event":
                name = value.removeprefix(b" ")
        else:
            if values:
                events.append((name, values[0] if len(values) == 1 else b"\n".join(values)))
                values = []
            name = b""
    if values:
        events.append((name, b"\n".join(values)))
    return events


def write_data(data: bytes) -> bytes:
    """One unnamed event. The data is JSON or a fixed word, so it holds no line break."""
    return b"data: " + data + b"\n\n"


def write_event(name: bytes, data: bytes) -> bytes:
    return b"event: " + name + b"\ndata: " + data + b"\n\n"
