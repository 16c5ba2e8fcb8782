"""The same bytes, read by ours and by aiohttp's client: the same status, headers and body, or both refuse.

Law: where the two differ the row says so and which way; ours may only be the stricter one.
"""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound
from conflux.upstream.client import Client
from tests.upstream.misbehave import Peer, Script, serving

Result = tuple[int, list[tuple[bytes, bytes]], bytes] | None
REFUSED = None
OK = b"HTTP/1.1 200 OK\r\n"
CL = OK + b"content-length: 5\r\n"
TE = OK + b"transfer-encoding: chunked\r\n"
BODY = b"\r\nhello"

SAME = {
    "length": CL + BODY,
    "length in another case": OK + b"Content-LENGTH: 5\r\n" + BODY,
    "no reason": b"HTTP/1.1 200 \r\ncontent-length: 5\r\n" + BODY,
    "no reason, no space": b"HTTP/1.1 200\r\ncontent-length: 5\r\n" + BODY,
    "odd reason": b"HTTP/1.1 200 A:b \xe9\r\ncontent-length: 5\r\n" + BODY,
    "odd status": b"HTTP/1.1 599 x\r\ncontent-length: 5\r\n" + BODY,
    "status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 5\r\n" + BODY,
    "status of four digits": b"HTTP/1.1 2000 OK\r\ncontent-length: 5\r\n" + BODY,
    "status of letters": b"HTTP/1.1 abc OK\r\ncontent-length: 5\r\n" + BODY,
    "no status": b"HTTP/1.1 \r\ncontent-length: 5\r\n" + BODY,
    "1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n" + BODY,
    "1.0 without a length": b"HTTP/1.0 200 OK\r\n" + BODY,
    "no length": OK + BODY,
    "no length and no body": OK + b"\r\n",
    "too short": CL + b"\r\nhell",
    "too long": CL + b"\r\nhello!",
    "204 with a body": b"HTTP/1.1 204 No Content\r\n\r\nhello",
    "no body at all": CL + b"\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    "repeated header": CL + b"a: 1\r\nA: 2\r\na:3\r\n" + BODY,
    "empty header": CL + b"a:\r\nb: \r\n" + BODY,
    "spaces round a value": CL + b"a: \t 1 2 \t \r\n" + BODY,
    "bytes beyond ASCII in a value": CL + b"a: \xc3\xa9\xff\r\n" + BODY,
    "bytes beyond ASCII in a name": CL + b"\xc3\xa9: 1\r\n" + BODY,
    "space in a name": CL + b"a b: 1\r\n" + BODY,
    "space before the colon": CL + b"a : 1\r\n" + BODY,
    "no colon": CL + b"abc\r\n" + BODY,
    "no name": CL + b": 1\r\n" + BODY,
    "NUL in a value": CL + b"a: b\0c\r\n" + BODY,
    "CR in a value": CL + b"a: b\rc\r\n" + BODY,
    "negative length": OK + b"content-length: -5\r\n" + BODY,
    "length with a plus": OK + b"content-length: +5\r\n" + BODY,
    "hexadecimal length": OK + b"content-length: 0x5\r\n" + BODY,
    "length with an underscore": OK + b"content-length: 1_0\r\n\r\n0123456789",
    "list of lengths": OK + b"content-length: 5, 5\r\n" + BODY,
    "empty length": OK + b"content-length:\r\n" + BODY,
    "huge length": OK + b"content-length: 99999999999999999999\r\n" + BODY,
    "two lengths": CL + b"content-length: 6\r\n" + BODY,
    "one length twice": CL + b"content-length: 5\r\n" + BODY,
    "length and chunked": CL + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked and length": TE + b"content-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked": TE + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "Chunked": OK + b"Transfer-Encoding: ChunKed\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked in many": TE + b"\r\n1\r\nh\r\n003\r\nell\r\n1\r\no\r\n0\r\n\r\n",
    "chunked and empty": TE + b"\r\n0\r\n\r\n",
    "chunk sizes in capitals": TE + b"\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "chunk extension": TE + b'\r\n5;a="b"\r\nhello\r\n0;c\r\n\r\n',
    "trailers": TE + b"\r\n5\r\nhello\r\n0\r\nx: 1\r\ny: 2\r\n\r\n",
    "no last chunk": TE + b"\r\n5\r\nhello\r\n",
    "last chunk cut": TE + b"\r\n5\r\nhello\r\n0\r\n",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + CL + BODY,
    "103 first": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + CL + BODY,
    "nothing": b"",
    "no head": b"hello",
    "head cut": CL,
    "line cut": b"HTTP/1.1 2",
    "HTML": b"<html><body>hello</body></html>",
    "HTTP/3": b"HTTP/3 200\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\ncontent-length: 5\r\n" + BODY,
    "lines before": b"\r\n\r\n" + CL + BODY,
    "connection: close": CL + b"connection: close\r\n" + BODY,
    "gzip is not unpacked": CL + b"content-encoding: gzip\r\n" + BODY,
    "upgrade offered": CL + b"connection: upgrade\r\nupgrade: h2c\r\n" + BODY,
}

# What follows the end is refused where it comes with it; byte by byte the answer is whole before.
WHOLE_ONCE_THE_END_IS_READ = {"too long", "204 with a body"}

STRICTER = {
    "two answers": (CL + BODY) * 2,
    "LF alone after lines": b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
    "chunk too short": TE + b"\r\n6\r\nhello\r\n0\r\n\r\n",
}

# aiohttp reads them as refused too, but where they come with the head its caller waits until a deadline.
NEVER_ENDING = {
    "chunk too long": TE + b"\r\n4\r\nhello\r\n0\r\n\r\n",
    "chunk size of letters": TE + b"\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "chunk size with 0x": TE + b"\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": TE + b"\r\n-5\r\nhello\r\n0\r\n\r\n",
    "huge chunk size": TE + b"\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "empty chunk size": TE + b"\r\n\r\nhello\r\n0\r\n\r\n",
}


async def by_ours(origin: str) -> Result:
    client = Client()
    try:
        answer = await client.send(Outbound(origin=origin, path="/", total_timeout=5))
        try:
            return answer.status, answer.headers, await answer.read()
        finally:
            answer.close()
    except TransportError as error:
        assert not error.timeout
        return REFUSED
    finally:
        await client.aclose()


async def by_aiohttp(origin: str, seconds: float = 5) -> Result:
    session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=seconds))
    async with session:
        try:
            async with session.post(origin + "/", allow_redirects=False) as answer:
                headers = [(name.lower(), value) for name, value in answer.raw_headers]
                return answer.status, headers, await answer.read()
        except (aiohttp.ClientError, ValueError):
            return REFUSED


def sending(raw: bytes, cuts: Iterable[int] = ()) -> Script:
    async def script(peer: Peer) -> None:
        await peer.request()
        for start, end in pairwise([0, *sorted(cuts), len(raw)]):
            await peer.send(raw[start:end])
            await asyncio.sleep(0)

    return script


async def both(raw: bytes, cuts: Iterable[int] = ()) -> tuple[Result, Result]:
    async with serving(sending(raw, cuts)) as server:
        return await by_ours(server.origin), await by_aiohttp(server.origin)


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("name", SAME)
async def test_the_same(name: str) -> None:
    raw = SAME[name]
    ours, theirs = await both(raw)
    assert ours == theirs
    if name in WHOLE_ONCE_THE_END_IS_READ:
        return
    async with serving(sending(raw, range(1, len(raw)))) as server:
        assert await by_ours(server.origin) == ours


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("name", STRICTER)
async def test_ours_is_stricter(name: str) -> None:
    ours, theirs = await both(STRICTER[name])
    assert ours is REFUSED
    assert theirs is not REFUSED, "aiohttp refuses it too now: move it to the table of the same"


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("name", NEVER_ENDING)
async def test_ours_does_not_wait(name: str) -> None:
    async with serving(sending(NEVER_ENDING[name])) as server:
        assert await by_ours(server.origin) is REFUSED
        try:
            theirs = await by_aiohttp(server.origin, 0.1)
        except TimeoutError:
            theirs = REFUSED
        assert theirs is REFUSED


# --- valid answers of every make

_token = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.!#$%&'*+^`|~", min_size=1, max_size=12).map(str.encode)
_value = st.binary(max_size=30).map(lambda raw: bytes(one for one in raw if one == 9 or 32 <= one != 127).strip(b" \t"))
_TAKEN = {b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"content-encoding", b"set-cookie"}
_header = st.tuples(_token, _value).filter(lambda one: one[0].lower() not in _TAKEN)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """A valid answer, and where to cut it."""
    body = draw(st.binary(max_size=300))
    headers = draw(st.lists(_header, max_size=8))
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if framing == "length":
        headers.insert(draw(st.integers(0, len(headers))), (b"Content-Length", b"%d" % len(body)))
    elif framing == "chunked":
        headers.append((b"Transfer-Encoding", b"chunked"))
        body = _chunked(draw, body)
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * draw(st.integers(0, 2))
    status = draw(st.integers(200, 599).filter(lambda one: one not in (204, 304)))
    lines = b"".join(
        name + b":" + draw(st.sampled_from([b"", b" ", b" \t"])) + value + b"\r\n" for name, value in headers
    )
    raw = interim + b"HTTP/1.1 %d Fine\r\n" % status + lines + b"\r\n" + body
    return raw, draw(st.lists(st.integers(0, len(raw)), max_size=6))


def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    edges = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=5))})
    extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b c"']))
    trailers = b"".join(name + b": " + value + b"\r\n" for name, value in draw(st.lists(_header, max_size=2)))
    chunks = [b"%x" % (b - a) + extension + b"\r\n" + body[a:b] + b"\r\n" for a, b in pairwise(edges)]
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


@given(answers())
@settings(max_examples=60)
def test_valid_answers_of_every_make(made: tuple[bytes, list[int]]) -> None:
    ours, theirs = asyncio.run(both(*made))
    assert ours is not REFUSED
    assert ours == theirs


# --- and broken ones

_PIECES = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"0",
    b"5",
    b";",
    b"chunked",
    b"HTTP/1.1 200 OK\r\n",
    b"\xff",
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    raw = draw(st.sampled_from(sorted(SAME.values())))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 4))
        raw = raw[:at] + draw(st.sampled_from((b"", *_PIECES))) + raw[at + cut :]
    return raw


@given(mutants())
@settings(max_examples=100)
def test_what_ours_takes_aiohttp_takes_and_reads_the_same(raw: bytes) -> None:
    async def compare() -> None:
        async with serving(sending(raw)) as server:
            ours = await by_ours(server.origin)
            if ours is not REFUSED:
                assert ours == await by_aiohttp(server.origin)

    asyncio.run(compare())
