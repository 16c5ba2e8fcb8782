"""HTTP as it is written on the wire, by clients that are old, slow, hasty or hostile."""

import asyncio
import time
from typing import Any

import pytest

from tests.system.serving import Served, said
from tests.system.upstreams import Upstreams
from tests.system.wire import Wire, chat, request, wire

GET_MODELS = b"GET /v1/models/gpt-4o-mini HTTP/1.1\r\nhost: gateway\r\n\r\n"
LIMIT = 300_000


def head(key: str, *lines: str, version: str = "1.1") -> bytes:
    fixed = (f"POST /v1/chat/completions HTTP/{version}", "host: gateway", f"authorization: Bearer {key}")
    return "\r\n".join((*fixed, *lines, "", "")).encode()


def ask(key: str, text: str = "hello", **fields: Any) -> bytes:
    return request(key, text, model="acme/good", **fields)


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# --- bodies


async def test_a_body_in_chunks(real: Served, real_key: str) -> None:
    body = chat("héllo " * 50, model="acme/good")
    for size in (1, 7, 4096):
        async with wire(real.port) as one:
            await one.send(head(real_key, "transfer-encoding: chunked") + chunked(body, size))
            assert (await one.answer()).status == 200
            await one.send(head(real_key, "Transfer-Encoding: Chunked"))
            await one.send(chunked(body, 100)[:-5] + b"0\r\nx-trailer: yes\r\n\r\n")
            assert (await one.answer()).status == 200


async def test_a_request_byte_by_byte(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        for byte in ask(real_key):
            await one.send(bytes([byte]))
        assert (await one.answer()).status == 200


async def test_continue_is_said_before_a_body_is_sent(real: Served, real_key: str) -> None:
    body = chat(model="acme/good")
    async with wire(real.port) as one:
        await one.send(head(real_key, "expect: 100-continue", f"content-length: {len(body)}"))
        await one.until(b"100 Continue")
        await one.send(body)
        assert (await one.answer()).status == 200
        await one.send(GET_MODELS)
        assert (await one.answer()).status == 200


@pytest.mark.parametrize("expect", [(), ("expect: 100-continue",)], ids=["at once", "asked first"])
async def test_an_announced_body_over_the_limit_is_not_waited_for(
    real: Served, real_key: str, expect: tuple[str, ...]
) -> None:
    async with wire(real.port) as one:
        await one.send(head(real_key, f"content-length: {10**12}", *expect))
        answer = await one.answer()
        assert answer.status == 413 and answer.json()["error"]["code"] == "request_too_large"
        assert one.interim == 0
        assert await one.closed()


@pytest.mark.parametrize("times", [2, 40])
@pytest.mark.parametrize("packed", [False, True], ids=["length", "chunked"])
async def test_a_body_over_the_limit_that_is_sent_all_the_same(
    real: Served, real_key: str, times: int, packed: bool
) -> None:
    """Also a client that reads nothing before it has sent everything gets to read why."""
    before = real.in_flight
    body = b"x" * (LIMIT * times)
    async with wire(real.port) as one:
        if packed:
            await one.send(head(real_key, "transfer-encoding: chunked") + chunked(body, 60_000))
        else:
            await one.send(head(real_key, f"content-length: {len(body)}") + body)
        answer = await one.answer()
        assert answer.status == 413
        assert await one.closed()
    assert real.in_flight == before


async def test_a_body_without_end_is_cut_off(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        await one.send(head(real_key, "transfer-encoding: chunked"))
        piece, sent = b"10000\r\n" + b"x" * 65536 + b"\r\n", 0
        with pytest.raises(ConnectionError):
            while sent < 2_000_000_000:
                await asyncio.wait_for(one.send(piece), 30)
                sent += len(piece)


@pytest.mark.parametrize("expect", [(), ("expect: 100-continue",)], ids=["short way", "long way"])
async def test_a_slow_body_has_a_deadline(real: Served, real_key: str, expect: tuple[str, ...]) -> None:
    began = time.monotonic()
    async with wire(real.port) as one, wire(real.port) as other:
        await one.send(head(real_key, "content-length: 1000", *expect) + b"{")
        drip = asyncio.create_task(_drip(one))
        await other.send(ask(real_key))
        assert (await other.answer()).status == 200, "others do not notice"
        answer = await one.answer()
        drip.cancel()
        assert answer.status == 408 and "too long" in answer.json()["error"]["message"]
        assert await one.closed()
    assert time.monotonic() - began < 25


async def test_a_slow_head_has_a_deadline(real: Served) -> None:
    async with wire(real.port) as one:
        await one.send(b"POST /v1/chat/completions HTTP/1.1\r\nx-slow: ")
        drip = asyncio.create_task(_drip(one))
        answer = await one.answer()
        drip.cancel()
        assert answer.status == 408 and "too long" in answer.json()["error"]["message"]
        assert await one.closed()


async def test_a_connection_that_says_nothing_has_a_deadline(real: Served) -> None:
    async with wire(real.port) as one:
        assert await one.closed()


async def _drip(one: Wire) -> None:
    while True:
        await asyncio.sleep(0.05)
        await one.send(b"a")


# --- connections


async def test_requests_in_one_piece_are_answered_in_turn(real: Served, real_key: str) -> None:
    texts = ["first [[slow-first: 50]]", "second", "third"]
    async with wire(real.port) as one:
        await one.send(b"".join(ask(real_key, f"{text} [[say: {text[:5]}]]") for text in texts))
        for text in texts:
            answer = await one.answer()
            assert answer.json()["choices"][0]["message"]["content"] == text[:5]


@pytest.mark.parametrize("cut", [None, 1, 300, -40])
async def test_ways_may_alternate_on_one_connection(real: Served, real_key: str, cut: int | None) -> None:
    """What is pipelined is answered in turn, or the connection ends after an answer that says so: never mixed up."""
    data = ask(real_key, "[[stream: 3]]", stream=True) + GET_MODELS + ask(real_key, "[[say: last]]") + GET_MODELS
    async with wire(real.port) as one:
        await one.send(data[:cut])
        if cut is not None:
            await asyncio.sleep(0.02)
            await one.send(data[cut:])
        answers = [await one.answer()]
        assert said(answers[0].events()) == "000 001 002 "
        try:
            answers += [await one.answer() for _ in range(3)]
        except AssertionError:
            assert len(one.received) and await one.closed()
        for answer, wanted in zip(answers[1:], (b'"gpt-4o-mini"', b'"last"', b'"gpt-4o-mini"'), strict=False):
            assert answer.status == 200 and wanted in answer.body


async def test_get_then_chat_in_one_piece(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        await one.send(GET_MODELS + ask(real_key, "[[say: second]]") + GET_MODELS)
        assert b'"gpt-4o-mini"' in (await one.answer()).body
        assert b'"second"' in (await one.answer()).body
        assert b'"gpt-4o-mini"' in (await one.answer()).body


async def test_requests_one_after_the_other(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        for _ in range(3):
            await one.send(ask(real_key))
            assert (await one.answer()).status == 200
            await one.send(ask(real_key, temperature=3))
            assert (await one.answer()).status == 400
            await one.send(ask(real_key, "[[fail: 500]]"))
            assert (await one.answer()).status == 502
            await one.send(GET_MODELS)
            assert (await one.answer()).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_close_is_kept_to(real: Served, real_key: str, stream: bool) -> None:
    async with wire(real.port) as one:
        await one.send(ask(real_key, extra=b"connection: close\r\n", stream=stream))
        answer = await one.answer()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert await one.closed()


async def test_the_older_protocol(real: Served, real_key: str) -> None:
    for stream in (False, True):
        async with wire(real.port) as one:
            await one.send(request(real_key, "[[stream: 3]]", version="1.0", model="acme/good", stream=stream))
            (answer,) = await one.rest()
            assert "transfer-encoding" not in answer.headers
            text = said(answer.events()) if stream else answer.json()["choices"][0]["message"]["content"]
            assert text == "000 001 002 "
    async with wire(real.port) as one:
        await one.send(b"GET /v1/models HTTP/1.0\r\n\r\n")
        assert (await one.rest())[0].status == 200


async def test_an_upgrade_is_not_taken(real: Served, real_key: str) -> None:
    lines = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n"
    async with wire(real.port) as one:
        await one.send(b"GET /v1/models HTTP/1.1\r\nhost: gateway\r\n" + lines + b"\r\n")
        assert (await one.answer()).status == 200
    async with wire(real.port) as one:
        await one.send(ask(real_key, extra=b"connection: upgrade\r\nupgrade: h2c\r\n"))
        assert (await one.answer()).status == 200


# --- what is no HTTP, or two things at once

BODY = chat(model="acme/good")
CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = f"content-length: {len(BODY)}"
SMUGGLED = b"GET /metrics HTTP/1.1\r\nhost: gateway\r\n\r\n"

NO_HTTP = {
    "both lengths": (("transfer-encoding: chunked", LENGTH), CHUNK),
    "both lengths, other order": ((LENGTH, "transfer-encoding: chunked"), CHUNK),
    "two lengths": ((LENGTH, "content-length: 5"), BODY),
    "a list of lengths": ((f"content-length: {len(BODY)}, {len(BODY)}",), BODY),
    "a length below": (("content-length: -1",), BODY),
    "a length with a sign": ((f"content-length: +{len(BODY)}",), BODY),
    "a hexadecimal length": (("content-length: 0x10",), BODY),
    "a huge length": (("content-length: 99999999999999999999999",), BODY),
    "an unknown coding": (("transfer-encoding: xchunked",), CHUNK),
    "a coding after chunked": (("transfer-encoding: chunked, identity",), CHUNK),
    "a hidden coding": (("transfer-encoding : chunked",), CHUNK),
    "a tab before the colon": (("transfer-encoding\t: chunked",), CHUNK),
    "a bad chunk size": (("transfer-encoding: chunked",), b"zz\r\n" + BODY),
    "a chunk size below": (("transfer-encoding: chunked",), b"-5\r\n" + BODY),
    "a chunk without end": (("transfer-encoding: chunked",), b"%x\r\n%bXX0\r\n\r\n" % (len(BODY), BODY)),
    "a bare LF in chunks": (("transfer-encoding: chunked",), b"%x\n%b\n0\n\n" % (len(BODY), BODY)),
    "a folded header": (("x-a: 1", " folded: 2", LENGTH), BODY),
    "NUL in a header": (("x-a: a\0b", LENGTH), BODY),
    "CR in a header": (("x-a: a\rb", LENGTH), BODY),
    "a header without a name": ((": nothing", LENGTH), BODY),
    "a header without a colon": (("nothing", LENGTH), BODY),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "body"), NO_HTTP.values(), ids=NO_HTTP)
async def test_what_could_be_read_in_two_ways_is_refused(
    real: Served, real_key: str, upstreams: Upstreams, lines: tuple[str, ...], body: bytes
) -> None:
    before = upstreams.received
    async with wire(real.port) as one:
        await one.send(head(real_key, *lines) + body + SMUGGLED)
        found = await one.rest()
    assert [answer.status for answer in found] == [400], found
    assert found[0].headers["connection"] == "close"
    assert upstreams.received == before
    assert real.get("/health/live").status == 200


LINES = {
    "no request line": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello TLS",
    "no version": b"GET /v1/models\r\n\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 9": b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
    "a space in the path": b"GET /v1/models /x HTTP/1.1\r\nhost: a\r\n\r\n",
    "NUL in the path": b"GET /v1/\0models HTTP/1.1\r\nhost: a\r\n\r\n",
    "bytes beyond ASCII in the path": b"GET /v1/models/\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
    "a method in small letters": b"get /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
    "a bare LF": b"GET /v1/models HTTP/1.1\nhost: a\n\n",
    "CONNECT": b"CONNECT page.test:443 HTTP/1.1\r\nhost: page.test\r\n\r\n",
}


@pytest.mark.parametrize("data", LINES.values(), ids=LINES)
async def test_a_first_line_that_is_none(real: Served, data: bytes) -> None:
    async with wire(real.port) as one:
        await one.send(data)
        one.writer.write_eof()
        found = await one.rest()
    assert all(400 <= answer.status < 500 for answer in found), found
    assert real.get("/health/live").status == 200


ODD_BUT_HTTP = {
    "an absolute address": b"GET http://elsewhere.test/v1/models/gpt-4o-mini HTTP/1.1\r\nhost: gateway\r\n\r\n",
    "an odd host": b"GET /v1/models/gpt-4o-mini HTTP/1.1\r\nhost: 127.0.0.1@[::1]:99999/..\r\n\r\n",
    "no host": b"GET /v1/models/gpt-4o-mini HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/models/gpt-4o-mini HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "latin letters": b"GET /v1/models/gpt-4o-mini HTTP/1.1\r\nhost: a\r\nx-name: \xe9\xff\r\n\r\n",
    "a query": b"GET /v1/models/gpt-4o-mini?client_version=1&a=%0d%0ab HTTP/1.1\r\nhost: a\r\n\r\n",
    "empty lines before": b"\r\n\r\nGET /v1/models/gpt-4o-mini HTTP/1.1\r\nhost: a\r\n\r\n",
}


@pytest.mark.parametrize("data", ODD_BUT_HTTP.values(), ids=ODD_BUT_HTTP)
async def test_what_is_odd_but_http(real: Served, data: bytes) -> None:
    async with wire(real.port) as one:
        await one.send(data)
        answer = await one.answer()
        assert answer.status in (200, 400)
        if answer.status == 200:
            assert answer.json()["id"] == "gpt-4o-mini"


async def test_a_query_on_a_generation_path(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        await one.send(ask(real_key).replace(b"completions HTTP", b"completions?beta=true HTTP"))
        assert (await one.answer()).status == 200


async def test_a_head_without_end_is_cut_off(real: Served) -> None:
    async with wire(real.port) as one:
        sent = 0
        with pytest.raises(ConnectionError):
            await one.send(b"GET /v1/models HTTP/1.1\r\n")
            while sent < 200_000_000:
                await one.send(b"x-a: " + b"y" * 1000 + b"\r\n")
                sent += 1000
        assert sent < 100_000_000


async def test_no_header_can_be_written_by_a_client(real: Served, real_key: str) -> None:
    evil = "acme/good\r\nset-cookie: a=b"
    async with wire(real.port) as one:
        for fields in ({"model": evil}, {"task_type": evil, "model": None}, {"user": evil, "model": "acme/good"}):
            await one.send(request(real_key, evil, **fields))
            assert "set-cookie" not in (await one.answer()).headers
        path = b"/v1/models/a%0d%0aset-cookie:%20a=b"
        await one.send(GET_MODELS.replace(b"/v1/models/gpt-4o-mini", path))
        assert "set-cookie" not in (await one.answer()).headers
        await one.send(
            GET_MODELS.replace(b"host: gateway", b"host: gateway\r\norigin: https://a.test\r\nx-request-id: mine")
        )
        answer = await one.answer()
        assert answer.headers["x-request-id"] != "mine" and "access-control-allow-origin" not in answer.headers
