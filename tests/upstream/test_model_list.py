"""Fetching a list from providers that behave and from those that do not: bytes, or one reason without their words."""

import asyncio
import json

import pytest

from conflux.catalogue.provider_lists import LIST_BYTES, ListRefused, read_list
from conflux.neutral.records import Provider
from conflux.relay.live import live_provider
from conflux.upstream.client import Client
from conflux.upstream.model_list import fetch_list
from tests.upstream.misbehave import Peer, Script, answering, once, serving, silent

LIST = json.dumps({"data": [{"id": "m"}]}).encode()
SECRET = "very-secret-1"


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def provider(origin: str, **more: object) -> Provider:
    fields = {"id": "up", "base_url": f"{origin}/v1", "dialects": ("openai-chat",), **more}
    return Provider(**fields)  # type: ignore[arg-type]


async def fetched(client: Client, script: Script, **more: object) -> bytes:
    async with serving(script) as server:
        return await fetch_list(client, live_provider(provider(server.origin, **more), [("env:K", SECRET)]))


async def test_the_list_is_asked_for_with_the_providers_credential(client: Client) -> None:
    async with serving(answering(answer(LIST))) as server:
        live = live_provider(provider(server.origin, headers={"x-org": "1"}), [("env:K", SECRET), ("env:L", "other")])
        assert await fetch_list(client, live) == LIST
        (request,) = server.requests
    assert request.line == b"GET /v1/models HTTP/1.1"
    assert request.values(b"authorization") == [f"Bearer {SECRET}".encode()]
    assert request.values(b"x-org") == [b"1"] and request.body == b""


async def test_a_provider_says_where_its_list_is_or_that_it_has_none(client: Client) -> None:
    async with serving(answering(answer(LIST))) as server:
        live = live_provider(provider(server.origin, quirks={"models_path": "/all?limit=1000"}), [])
        assert await fetch_list(client, live) == LIST
        assert server.requests[0].path == b"/v1/all?limit=1000"
        for none in (False, "models"):
            with pytest.raises(ListRefused, match="publishes no list"):
                await fetch_list(client, live_provider(provider(server.origin, quirks={"models_path": none}), []))
        assert len(server.requests) == 1


async def endless(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    block = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        await peer.send(block)


async def truncated(peer: Peer) -> None:
    await peer.request()
    await peer.send(answer(LIST)[:-4])


async def resets(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def dribbles(peer: Peer) -> None:
    """A byte, and then nothing."""
    await peer.request()
    await peer.send(answer(LIST)[:-9])
    await peer.gone()


BROKEN: list[tuple[str, Script, str]] = [
    ("500", answering(answer(SECRET.encode(), "500 Oops")), "answered 500$"),
    ("401", answering(answer(SECRET.encode(), "401 No")), "answered 401: it refuses the credential"),
    ("404", answering(answer(b"", "404 No")), "quirks.models_path"),
    ("redirect", answering(answer(b"", "302 Found", "location: http://127.0.0.1:1/")), "answered 302"),
    ("gzip", answering(answer(LIST, "200 OK", "content-encoding: gzip")), "compressed"),
    ("huge", endless, f"more than {LIST_BYTES} bytes"),
    ("huge and says so", once(answer(b"", "200 OK").replace(b"length: 0", b"length: 99999999")), "not reached"),
    ("cut off", truncated, "not reached"),
    ("reset", resets, "not reached"),
    ("not HTTP", once(b"SSH-2.0-x\r\n\r\n"), "not reached: .*not HTTP"),
    ("silent", silent, "not reached"),
    ("slow", dribbles, "not reached"),
]


@pytest.mark.parametrize(("script", "words"), [rest for _, *rest in BROKEN], ids=[name for name, *_ in BROKEN])
async def test_what_goes_wrong_is_one_reason_that_repeats_nothing(client: Client, script: Script, words: str) -> None:
    with pytest.raises(ListRefused, match=words) as error:
        await fetched(client, script, first_byte_timeout=0.2, idle_timeout=0.2)
    assert SECRET not in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>" + SECRET.encode(), "a web page"), (b'{"data": 5}', "no .data."), (b'{"error": "x"}', "no .data.")],
)
async def test_what_came_whole_may_still_be_no_list(client: Client, body: bytes, words: str) -> None:
    with pytest.raises(ListRefused, match=words):
        read_list(await fetched(client, answering(answer(body))))


async def test_nobody_listens(client: Client) -> None:
    async with serving(silent) as server:
        origin = server.origin
    with pytest.raises(ListRefused, match="not reached: connect"):
        await fetch_list(client, live_provider(provider(origin), []))


async def test_who_asks_may_leave(client: Client) -> None:
    async with serving(silent) as server:
        task = asyncio.ensure_future(fetch_list(client, live_provider(provider(server.origin), [])))
        await server.until(lambda one: one.open == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.all_closed()
