"""What is read from an answer's bytes, however they are cut, and what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflux.upstream.answer import AnswerReader, Refused
from conflux.upstream.limits import Limits

LIMITS = Limits(head_bytes=2048, headers=20, interim=3)
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nempty:\r\nTransfer-Encoding: Chunked \r\n\r\n"
    b'5;name="x"\r\nhello\r\n1\r\n,\r\n00a\r\n0123456789\r\n0\r\nx-trailer: 1\r\nstatus: 9\r\n\r\n'
)


def read(*pieces: bytes, head_only: bool = False) -> AnswerReader:
    reader = AnswerReader(LIMITS)
    reader.begin(head_only=head_only)
    for piece in pieces:
        reader.feed(piece)
    return reader


def refusal(*pieces: bytes, head_only: bool = False) -> str:
    with pytest.raises(Refused) as caught:
        read(*pieces, head_only=head_only)
    return str(caught.value)


def is_the_chunked_one(reader: AnswerReader) -> bool:
    return (
        reader.done
        and reader.keep_alive
        and (reader.status, reader.take()) == (200, b"hello,0123456789")
        and reader.headers == [(b"content-type", b"text/plain"), (b"empty", b""), (b"transfer-encoding", b"Chunked")]
    )


def test_cut_at_every_place() -> None:
    for cut in range(len(CHUNKED) + 1):
        assert is_the_chunked_one(read(CHUNKED[:cut], CHUNKED[cut:])), CHUNKED[cut:]


def test_byte_by_byte() -> None:
    assert is_the_chunked_one(read(*[CHUNKED[at : at + 1] for at in range(len(CHUNKED))]))


@given(st.lists(st.integers(0, len(CHUNKED)), max_size=12))
def test_cut_anywhere(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CHUNKED)]
    assert is_the_chunked_one(read(*[CHUNKED[a:b] for a, b in pairwise(edges)]))


@given(st.binary(max_size=400), st.integers(0, 400))
@settings(max_examples=300)
def test_no_bytes_make_it_fail_in_another_way(noise: bytes, cut: int) -> None:
    for data in (noise, CHUNKED[:cut] + noise):
        reader = AnswerReader(LIMITS)
        try:
            reader.feed(data)
        except Refused:
            continue
        assert reader.size <= len(data)


def test_one_reader_reads_one_answer_after_another() -> None:
    reader = AnswerReader(LIMITS)
    for _ in range(3):
        reader.begin()
        reader.feed(CHUNKED)
        assert is_the_chunked_one(reader)
        reader.begin()
        reader.feed(b"HTTP/1.1 204 No\r\n\r\n")
        assert (reader.done, reader.status, reader.headers, reader.take()) == (True, 204, [], b"")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert not reader.done and reader.take() == b"abc"
    reader.feed(b"def")
    assert reader.end() and reader.done and not reader.keep_alive
    assert reader.take() == b"def"


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
    ],
)
def test_an_answer_with_a_length_that_stops_before_is_not_whole(cut: bytes) -> None:
    reader = read(cut)
    assert not reader.end() and not reader.done


def test_to_head_there_is_no_body() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", head_only=True)
    assert reader.done and not reader.keep_alive and reader.take() == b""
    assert "none belongs" in refusal(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", head_only=True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", "two lengths"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", "not chunked"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n", "not chunked"),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "switched"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "switched"),
        (b"HTTP/1.1 099 Odd\r\n\r\n", "status 99"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 4, "3 interim"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 21 + b"\r\n", "20 headers"),
        (b"HTTP/1.1 200 " + b"x" * 2048, "head of more than 2048"),
        (b"HTTP/1.1 200 OK\r\na: " + b"x" * 2048, "head of more than 2048"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 2048, "head of more than 2048"),
        (b"HTTP/1.1 100 Continue\r\na: " + b"x" * 1000 + b"\r\n\r\n" + b"HTTP/1.1 200 OK\r\na: " + b"x" * 1000, "2048"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 1\r\n\r\n", "Content-Length"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "not HTTP"),
        (b"HTTP/1.1 200 OK\nx: y\n\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n folded\r\n\r\n", "not HTTP"),
    ],
)
def test_refused(answer: bytes, why: str) -> None:
    assert why in refusal(answer)
    assert why in refusal(*[answer[at : at + 1] for at in range(len(answer))])


def test_a_head_of_just_the_limit_is_taken_in_one_piece_or_many() -> None:
    start, end = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx: ", b"\r\n\r\n"
    fits = start + b"y" * (LIMITS.head_bytes - len(start) - len(end)) + end
    over = start + b"y" * (LIMITS.head_bytes - len(start) - len(end) + 1) + end
    for step in (1, 7, 1000, 9000):
        whole = fits + b"abc"
        reader = read(*[whole[at : at + step] for at in range(0, len(whole), step)])
        assert reader.done and reader.take() == b"abc"
        whole = over + b"abc"
        assert "2048" in refusal(*[whole[at : at + step] for at in range(0, len(whole), step)])


@pytest.mark.parametrize(
    "endless",
    [b"x-trailer: y\r\n", b"x-trailer-without-end"],
)
def test_trailers_without_end_are_refused(endless: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert "without content" in refusal(start, *[endless] * 1000)


def test_an_extension_without_end_is_refused() -> None:
    start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;"
    assert "without content" in refusal(start, *[b"x" * 100] * 100)


def test_content_has_no_limit_here_nor_has_its_framing() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(10_000):
        reader.feed(b"1;ext=123456789\r\na\r\n")
    assert len(reader.take()) == 10_000
    reader = read(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        reader.feed(b"x" * 10_000)
        assert reader.size == len(reader.take()) == 10_000


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"more", b"\0"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_an_answer_longer_than_it_says_is_refused(answer: bytes, more: bytes) -> None:
    reader = AnswerReader(LIMITS)
    with pytest.raises(Refused):
        reader.feed(answer + more)
    assert not reader.done


def test_what_came_before_the_broken_chunk_stays_readable() -> None:
    reader = AnswerReader(LIMITS)
    with pytest.raises(Refused):
        reader.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n")
    assert not reader.done and reader.take() == b"a"


def test_a_mistake_of_ours_is_not_hidden_as_the_upstreams() -> None:
    class Broken(AnswerReader):
        def on_message_complete(self) -> None:
            raise KeyError("ours")

    with pytest.raises(KeyError):
        Broken(LIMITS).feed(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
