"""Server-sent events: any cuts, any line ends, bounded memory, linear time."""

import itertools
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.sse import SseError, SseReader, write_data, write_event
from tests.dialects.golden import cuts

Read = tuple[list[tuple[bytes, bytes]], str | None]


def read(pieces: list[bytes], limit: int = 10_000) -> Read:
    """The events, then the error if there was one."""
    reader = SseReader(limit)
    found: list[tuple[bytes, bytes]] = []
    try:
        for piece in pieces:
            found += reader.feed(piece)
        found += reader.end()
    except SseError as error:
        return found, str(error)
    return found, None


def by_the_book(data: bytes) -> list[tuple[bytes, bytes]]:
    """The standard's own algorithm, line by line, as slow as it reads; an unfinished event counts."""
    events: list[tuple[bytes, bytes]] = []
    name = b""
    values: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), b""]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line == b"":
            if values:
                events.append((name, b"\n".join(values)))
            name, values = b"", []
        elif field == b"data":
            values.append(value)
        elif field == b"event":
            name = value
    return events


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"", []),
        (b"data: a\n\n", [(b"", b"a")]),
        (b"data:a\n\n", [(b"", b"a")]),
        (b"data:  a\n\n", [(b"", b" a")]),
        (b"data\n\n", [(b"", b"")]),
        (b"data:\ndata:\n\n", [(b"", b"\n")]),
        (b"data: a\ndata: b\n\ndata: c\n\n", [(b"", b"a\nb"), (b"", b"c")]),
        (b"event: e\ndata: a\n\ndata: b\n\n", [(b"e", b"a"), (b"", b"b")]),
        (b"event: e\n\ndata: b\n\n", [(b"", b"b")]),
        (b": comment\n\ndata: a\n\n", [(b"", b"a")]),
        (b"id: 1\nretry: 5\ndatax: no\nxdata: no\ndata: a\n\n", [(b"", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [(b"", b"a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [(b"", b"a"), (b"", b"b"), (b"", b"c")]),
        (b"data: a\r\ndata: b\rdata: c\n\n", [(b"", b"a\nb\nc")]),
        (b"data: a", [(b"", b"a")]),
        (b"data: a\n", [(b"", b"a")]),
        (b"data: a\r", [(b"", b"a")]),
        (b"data: a\n\nda", [(b"", b"a")]),
        ("data: a\u2028b\x0bc\x0cd\x1ce\x85f\n\n".encode(), [(b"", "a\u2028b\x0bc\x0cd\x1ce\x85f".encode())]),
        (b"data: a\x85b\n\n", [(b"", b"a\x85b")]),
        (b"\n\n\ndata: a\n\n\n\n", [(b"", b"a")]),
        (b"\xef\rdata: a\n\n", [(b"", b"a")]),
    ],
)
def test_case_35_events(data: bytes, events: list[tuple[bytes, bytes]]) -> None:
    assert read([data]) == (events, None)
    assert by_the_book(data) == events
    for pieces in cuts(data, "x", times=20):
        assert read(pieces) == (events, None)


STREAMS = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:",
            b"data",
            b"event: e",
            b": c",
            b"\xef\xbb\xbf",
            b"\xef",
            b"x",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b" ",
        ]
    )
    | st.binary(max_size=4),
    max_size=30,
).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 80), max_size=6), st.sampled_from([3, 8, 20, 10_000]))
def test_any_cuts_yield_the_same_events_and_the_same_error(data: bytes, places: list[int], limit: int) -> None:
    whole = read([data], limit)
    if whole[1] is None:
        assert whole[0] == by_the_book(data)
    edges = [0, *sorted(place for place in places if place < len(data)), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert read(pieces, limit) == whole
    assert read([data[at : at + 1] for at in range(len(data))], limit) == whole


def test_an_event_of_the_limit_passes_and_one_more_byte_does_not() -> None:
    event = b"data: " + b"x" * 94
    after = b"\n\ndata: y\n\n"
    for pieces in cuts(b"data: a\n\n" + event + after, "x"):
        assert read(pieces, 100)[0][-1] == (b"", b"y")
    for pieces in cuts(b"data: a\n\n" + event + b"x" + after, "y"):
        assert read(pieces, 100) == ([(b"", b"a")], "an event of more than 100 bytes")


def test_after_the_error_nothing_is_kept() -> None:
    reader = SseReader(10)
    assert reader.feed(b"data: a\n\n" + b"x" * 20) == [(b"", b"a")]
    for _ in range(3):
        with pytest.raises(SseError):
            reader.feed(b"data: b\n\n")
    with pytest.raises(SseError):
        reader.end()


def test_case_45_an_endless_line_takes_no_more_memory_than_the_limit() -> None:
    reader = SseReader(1_000_000)
    piece = b"x" * 10_000
    tracemalloc.start()
    try:
        with pytest.raises(SseError):
            for _ in range(1_000):
                reader.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


class Counting(bytearray):
    """A buffer that counts the bytes it is searched over."""

    searched = 0

    def rfind(self, what: object, start: int = 0, *rest: int) -> int:  # type: ignore[override]
        Counting.searched += len(self) - start
        return super().rfind(what, start, *rest)  # type: ignore[arg-type]


def test_case_45_time_is_linear_however_small_the_pieces() -> None:
    reader = SseReader(200_000)
    reader._buffer = Counting()
    Counting.searched = 0
    for _ in range(100_000):
        reader.feed(b"x")
    assert Counting.searched < 5 * 100_000


@given(
    st.binary(max_size=20).filter(lambda data: not re.search(rb"[\r\n]", data)), st.sampled_from([b"", b"ping", b"a b"])
)
def test_what_is_written_is_read(data: bytes, name: bytes) -> None:
    written = write_event(name, data) if name else write_data(data)
    assert read([written * 2]) == ([(name, data)] * 2, None)
