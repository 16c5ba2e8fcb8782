"""A stream as one JSON list, whatever the pieces it comes in."""

import json
from collections.abc import Callable

import pytest

from conflux.faces.listed import ListedExchange
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront


class Inner:
    """What reached the client."""

    gone = False

    def __init__(self) -> None:
        self.head: Headers = []
        self.body = b""
        self.noted: list[str] = []

    def on_gone(self, call: Callable[[], None]) -> None:
        self.noted.append("on_gone")

    def serving(self, storefront: Storefront) -> None:
        self.noted.append(storefront.id)

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.body = body

    async def begin(self, status: int, headers: Headers) -> None:
        self.head = headers

    def push(self, data: bytes) -> bool:
        self.body += data
        return True

    async def drained(self) -> None:
        self.noted.append("drained")

    async def finish(self, data: bytes) -> None:
        self.body += data


@pytest.mark.parametrize(
    ("pieces", "last", "items"),
    [
        ([b'data: {"a":1}\n\n', b'data: {"b":2}\n\ndata: {"c":3}\n\n'], b'data: {"d":4}\n\n', 4),
        ([], b'data: {"a":1}\n\n', 1),
        ([b'data: {"a":1}\n\n'], b': a comment\n\ndata: {"b":2}\n\n', 2),
        ([b'data: {"a":1}\n\n'], b"", 1),
        ([], b"", 0),
    ],
)
async def test_events_become_items(pieces: list[bytes], last: bytes, items: int) -> None:
    inner = Inner()
    exchange = ListedExchange(inner)
    await exchange.begin(200, [(b"content-type", b"text/event-stream"), (b"x", b"y")])
    for piece in pieces:
        assert exchange.push(piece)
    await exchange.finish(last)
    assert inner.head == [(b"content-type", b"application/json"), (b"x", b"y")]
    assert len(json.loads(inner.body)) == items


async def test_the_rest_goes_straight_through() -> None:
    inner = Inner()
    exchange = ListedExchange(inner)
    exchange.on_gone(lambda: None)
    exchange.serving(Storefront(id="shop", name="Shop", mount="/"))
    await exchange.drained()
    await exchange.reply(400, [], b"{}")
    assert inner.noted == ["on_gone", "shop", "drained"] and inner.body == b"{}" and not exchange.gone
