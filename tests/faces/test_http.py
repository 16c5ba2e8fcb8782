"""Paths to work by table; the few headers that are read; both ways to an answer."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from conflux.dialects import DIALECTS
from conflux.dialects.base import Place
from conflux.faces.http import Heard, Limits, Mounts, goes_listed, hear, secret_of
from conflux.neutral.records import Storefront
from tests.faces.door import opened
from tests.faces.packing import zstd
from tests.relay.answers import request, streamed, whole
from tests.relay.shops import shop
from tests.relay.world import KEY, World
from tests.system.wire import wire

BEARER = f"authorization: Bearer {KEY}"


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer  abc ")], "abc"),
        ([(b"x-api-key", b"abc")], "abc"),
        ([(b"api-key", b"abc")], "abc"),
        ([(b"x-goog-api-key", b"abc")], "abc"),
        ([(b"authorization", b"Basic xyz"), (b"x-api-key", b"abc")], "abc"),
        ([(b"authorization", b"Basic xyz")], ""),
        ([(b"authorization", b"Bearer")], ""),
        ([(b"x-api-key", b" ")], None),
        ([], None),
    ],
)
def test_where_a_key_is_read(headers: list[tuple[bytes, bytes]], secret: str | None) -> None:
    assert hear(headers).secret == secret


def test_what_else_is_read() -> None:
    found = hear([(b"origin", b"https://a"), (b"content-encoding", b" GZIP "), (b"host", b"Shop.test:80")])
    assert found == Heard(None, b"https://a", b"gzip", b"shop.test")


def test_a_key_in_the_query_counts_where_the_protocol_has_it() -> None:
    place = Place(query="alt=sse&key=a%2Bb", secret_in="key")
    assert secret_of(place, Heard()) == "a+b"
    assert secret_of(place, Heard("header")) == "header"
    assert secret_of(Place(query="key=abc"), Heard()) is None


def test_a_stream_is_a_list_unless_the_query_says_otherwise() -> None:
    assert goes_listed(Place(listed_unless="alt=sse"))
    assert not goes_listed(Place(listed_unless="alt=sse", query="key=k&alt=sse"))
    assert not goes_listed(Place())


def test_of_mounts_below_each_other_the_longest_is_meant() -> None:
    catalogue = shop()
    for name, mount in (("inner", "/outer/inner"), ("outer", "/outer"), ("odd", "/outer/v1")):
        catalogue.storefronts[name] = Storefront(id=name, name=name, mount=mount)
    mounts = Mounts(World(catalogue).snapshot)
    whose = {
        "/outer/inner/v1/models": "inner",
        "/outer/inner": "inner",
        "/outer/innermost/models": "outer",
        "/outer/models": "outer",
        "/outer/v1/models": "odd",
    }
    for path, name in whose.items():
        found, _ = mounts.find(path, b"")
        assert found is not None and found.id == name, path
        listed = mounts.lists.get(path.encode())
        assert listed is None or (listed[1] is not None and listed[1].id == name), path
    assert mounts.lists[b"/outer/v1/models"][0] == mounts.find("/outer/v1/models", b"")[1]


def test_a_mount_takes_whole_segments_only() -> None:
    catalogue = shop()
    below = Storefront(id="below", name="Below", mount="/below", hosts=("Below.test",))
    catalogue.storefronts["below"] = below
    mounts = Mounts(World(catalogue).snapshot)
    assert mounts.find("/below/v1/models", b"")[0] is not None
    assert mounts.find("/below", b"") == (below, "/")
    assert mounts.find("/belowground/v1/models", b"")[0] is None
    assert mounts.find("/v1/models", b"below.test") == (below, "/v1/models")
    assert b"/v1/chat/completions" not in mounts.short  # the host decides, so the short way must not
    assert b"/v1/models" not in mounts.lists and b"/below/v1/models" in mounts.lists
    assert b"/below/v1/chat/completions" in mounts.short


@pytest.mark.parametrize(
    "query", ["", "?x=1", "?" + "&".join(["x=1"] * 60)], ids=["short way", "long way", "very long way"]
)
async def test_both_ways_answer_alike(query: str) -> None:
    world = World(shop(), whole("hello"), streamed("a", "b"))
    async with opened(world) as door:
        status, head, body = await door.post(f"/v1/chat/completions{query}", request(), BEARER)
        assert status == 200 and json.loads(body)["choices"][0]["message"]["content"] == "hello"
        assert b"x-request-id: req_" in head
        status, head, body = await door.post(f"/v1/chat/completions{query}", request(stream=True), BEARER)
        assert status == 200 and b"text/event-stream" in head and b"data: [DONE]" in body
    world.check()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("HEAD", "/v1/models", 200),
    ],
)
async def test_what_is_not_in_the_table(method: str, path: str, status: int) -> None:
    async with opened(World(shop())) as door:
        found, head, body = await door.get(path, method=method)
        assert found == status
        if status >= 400:
            assert json.loads(body)["error"]["message"] and b"x-request-id" in head
        if method == "HEAD":
            assert body == b""


async def test_a_body_over_the_limit_is_told_so() -> None:
    world = World(shop())
    async with opened(world, Limits(body_bytes=100)) as door:
        status, _, body = await door.post("/v1/chat/completions", b"x" * 101, BEARER)
        assert status == 413 and b"over the limit of 100 bytes" in body
    assert world.journal == []


@pytest.mark.parametrize("query", ["", "?x=1"], ids=["short way", "long way"])
@pytest.mark.parametrize("coding", ["gzip", "Deflate", "zstd", "identity", ""])
async def test_a_coded_body_is_read(coding: str, query: str) -> None:
    packs: dict[str, Any] = {"gzip": gzip.compress, "Deflate": zlib.compress, "zstd": zstd.compress}
    pack = packs.get(coding, bytes)
    world = World(shop(), whole("hello"))
    async with opened(world) as door:
        line = f"content-encoding: {coding}"
        status, _, body = await door.post(f"/v1/chat/completions{query}", pack(request()), BEARER, line)
        assert status == 200 and b"hello" in body


@pytest.mark.parametrize("query", ["", "?x=1"], ids=["short way", "long way"])
@pytest.mark.parametrize(
    ("lines", "status", "word"),
    [
        (["x-api-key: nonsense"], 401, b"not valid"),
        ([], 401, b"no API key was sent"),
        ([BEARER, "content-encoding: br"], 415, b"gzip, deflate, zstd"),
        (["x-api-key: nonsense", "expect: 100-continue"], 401, b"not valid"),
    ],
)
async def test_the_head_alone_is_refused_at_once(query: str, lines: list[str], status: int, word: bytes) -> None:
    world = World(shop())
    async with opened(world) as door:
        head = [f"POST /v1/chat/completions{query} HTTP/1.1", "host: here", "content-length: 1000", *lines, "", ""]
        async with wire(door.port) as one:
            await one.send("\r\n".join(head).encode() + (b"" if "expect" in str(lines) else b"{"))
            answer = await one.answer()
            assert answer.status == status and word in answer.body and "x-request-id" in answer.headers
            assert answer.headers["connection"] == "close" and one.interim == 0
            assert await one.closed()
    assert world.journal == []


async def test_too_much_on_the_long_way_is_told_before_the_rest_is_read() -> None:
    async with opened(World(shop()), Limits(body_bytes=100_000)) as door:
        head = f"POST /v1/chat/completions?x=1 HTTP/1.1\r\nhost: x\r\n{BEARER}\r\ntransfer-encoding: chunked\r\n\r\n"
        async with wire(door.port) as one:
            sending = asyncio.create_task(one.send(head.encode() + b"10000\r\n%b\r\n" % (b"x" * 65536) * 100))
            (answer,) = await one.rest()
            assert answer.status == 413 and b"over the limit" in answer.body
            await sending


@pytest.mark.parametrize("path", ["/v1/responses", "/responses"])
async def test_a_websocket_is_sent_to_http(path: str) -> None:
    async with opened(World(shop())) as door:
        lines = ["connection: upgrade", "upgrade: websocket", "sec-websocket-key: x", "sec-websocket-version: 13"]
        async with wire(door.port) as one:
            await one.send("\r\n".join([f"GET {path} HTTP/1.1", "host: here", *lines, "", ""]).encode())
            answer = await one.answer()
            assert answer.status == 426 and "POST" in answer.json()["error"]["message"]


async def test_whether_anybody_is_there() -> None:
    async with opened(World(shop())) as door:
        status, _, body = await door.get("/", method="HEAD")
        assert (status, body) == (200, b"")


async def test_a_failure_of_ours_is_500_and_reported_and_says_nothing() -> None:
    world = World(shop())

    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    world.gateway.generate = broken  # type: ignore[method-assign,assignment]
    async with opened(world) as door:
        status, _, body = await door.post("/v1/chat/completions", request(), BEARER)
        assert status == 500 and b"secret detail" not in body
        assert [str(error) for error, _ in door.reported] == ["secret detail"]


async def test_a_list_goes_the_short_way_and_looks_like_the_long_one() -> None:
    async with opened(World(shop())) as door:
        short, long = await door.get("/v1/models", BEARER), await door.get("/v1/models?", BEARER)
        assert short[0] == long[0] == 200 and short[2] == long[2]

        def named(head: bytes) -> dict[bytes, bytes]:
            lines = [line.partition(b": ") for line in head.lower().split(b"\r\n")[1:]]
            return {name: value for name, _, value in lines if name not in (b"x-request-id", b"date")}

        assert named(short[1]) == named(long[1])
        for headers, status in (((), 200), (("authorization: Bearer x",), 401), (("if-none-match: *",), 304)):
            for path in ("/v1/models", "/v1/models?"):
                found, head, _ = await door.get(path, *headers)
                assert found == status and b"x-request-id: req_" in head
                assert (b"content-length" in head) == (status != 304)
    assert door.reported == []


async def test_lists_asked_for_all_at_once_are_answered_in_order() -> None:
    async with opened(World(shop())) as door:
        one = f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{BEARER}\r\n"
        _, body = await door.ask((f"{one}\r\n" * 40 + f"{one}connection: close\r\n\r\n").encode())
        assert body.count(b"HTTP/1.1 200 OK") == 40


async def test_a_reload_between_head_and_body_leaves_nobody_without_an_answer() -> None:
    world = World(shop())
    async with opened(world) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        body = request()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{BEARER}\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[:5])
        await writer.drain()
        await asyncio.sleep(0.05)
        catalogue = shop(of_storefront={"hosts": ("only.test",)})
        world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=catalogue)
        writer.write(body[5:])
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert b" 404 " in answer
        writer.close()
    assert door.reported == []


async def test_a_page_may_send_what_its_client_sends() -> None:
    catalogue = shop()
    front = catalogue.storefronts["shop"]
    catalogue.storefronts["shop"] = replace(front, allowed_origins=("https://a.test",))
    async with opened(World(catalogue)) as door:
        asked = "access-control-request-headers: authorization, x-stainless-os, x-shop-fallback"
        status, head, _ = await door.get("/v1/chat/completions", "origin: https://a.test", asked, method="OPTIONS")
        assert status == 204
        assert b"access-control-allow-headers: authorization, x-stainless-os, x-shop-fallback\r\n" in head + b"\r\n"
        status, head, _ = await door.get("/v1/models", "origin: https://b.test", asked, method="OPTIONS")
        assert status == 403 and b"stainless" not in head


async def test_anthropics_clients_find_the_requests_id_on_lists_too() -> None:
    async with opened(World(shop())) as door:
        for path, known in (("/v1/models", 200), ("/v1/models/shop/one", 200), ("/v1/models/nobody", 404)):
            status, head, body = await door.get(path, "anthropic-version: 2023-06-01")
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            assert status == known and fields[b"request-id"] == fields[b"x-request-id"]
            assert (fields[b"request-id"] in body) is (known == 404)
        assert b"\r\nrequest-id:" not in (await door.get("/v1/models"))[1]


async def test_googles_clients_read_googles_errors_where_nothing_is_generated() -> None:
    async with opened(World(shop())) as door:
        status, _, body = await door.get("/v1beta/nothing")
        assert status == 404 and json.loads(body)["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat/completions?x"])  # the short way and the long one
async def test_an_error_that_cannot_be_worded_is_answered_all_the_same(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def speechless(*_: object) -> tuple[int, bytes]:
        raise RuntimeError("no words")

    monkeypatch.setattr(type(DIALECTS["openai-chat"]), "error", speechless)
    async with opened(World(shop())) as door:
        status, _, body = await door.post(path, b"no json", BEARER)
        assert status == 500 and b"it was noted" in body and b"no words" not in body
        assert {str(error) for error, _ in door.reported} == {"no words"}
