"""Both ends of an exchange: over ASGI and straight on the connection; CORS as the storefront says."""

from typing import Any

import pytest

from conflux.faces.exchange import HttpExchange, ShortExchange, connection_of, cors
from conflux.neutral.records import Storefront


def front(*origins: str) -> Storefront:
    return Storefront(id="shop", name="Shop", mount="/", allowed_origins=origins)


@pytest.mark.parametrize(
    ("storefront", "origin", "allowed"),
    [
        (front("*"), b"https://any.test", b"*"),
        (front("https://one.test"), b"https://one.test", b"https://one.test"),
        (front("https://one.test"), b"https://other.test", None),
        (front(), b"https://one.test", None),
        (front("*"), None, None),
        (None, b"https://one.test", None),
    ],
)
def test_cors_is_the_storefronts_word(
    storefront: Storefront | None, origin: bytes | None, allowed: bytes | None
) -> None:
    assert dict(cors(storefront, origin)).get(b"access-control-allow-origin") == allowed


def test_an_origin_that_is_not_allowed_still_splits_caches() -> None:
    assert cors(front("https://one.test"), b"https://other.test") == [(b"vary", b"origin")]


class Sent:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def __call__(self, message: dict[str, Any]) -> None:
        self.messages.append(message)


async def test_a_plain_reply_has_a_length_and_cors() -> None:
    sent = Sent()
    exchange = HttpExchange({}, sent, b"https://a.test")
    exchange.serving(front("*"))
    await exchange.reply(200, [(b"x", b"y")], b"body")
    start, body = sent.messages
    assert (b"content-length", b"4") in start["headers"]
    assert (b"access-control-allow-origin", b"*") in start["headers"]
    assert body["body"] == b"body" and exchange.began and exchange.ended


async def test_no_content_has_no_length() -> None:
    sent = Sent()
    await HttpExchange({}, sent, None).reply(204, [], b"")
    assert sent.messages[0]["headers"] == []


async def test_what_is_pushed_waits_for_its_turn_and_is_never_lost() -> None:
    sent = Sent()
    exchange = HttpExchange({}, sent, None)
    await exchange.begin(200, [])
    assert exchange.push(b"one ") is False
    assert exchange.push(b"two") is False
    await exchange.drained()
    await exchange.drained()  # nothing waits: nothing is sent
    exchange.push(b"three ")
    await exchange.finish(b"end")
    assert [message.get("body") for message in sent.messages[1:]] == [b"one two", b"three end"]
    assert [message.get("more_body", False) for message in sent.messages[1:]] == [True, False]


class Flow:
    write_paused = False


class Line:
    """As much of a connection as an exchange touches."""

    def __init__(self) -> None:
        self.lost = False
        self.flow = Flow()
        self.written: list[Any] = []
        self.watcher: Any = None

    def send_whole(self, *what: Any) -> None:
        self.written.append(what)

    def send_head(self, *what: Any) -> None:
        self.written.append(what)

    def push(self, data: bytes) -> bool:
        self.written.append(data)
        return not self.flow.write_paused

    def send_last(self, data: bytes) -> None:
        self.written.append(data)

    def watch(self, call: Any) -> None:
        self.watcher = call


async def test_the_short_exchange_writes_straight_on_the_connection() -> None:
    line = Line()
    exchange = ShortExchange(line, b"https://a.test")  # type: ignore[arg-type]
    exchange.serving(front("https://a.test"))
    await exchange.begin(200, [(b"a", b"b")])
    assert exchange.push(b"chunk") is True
    line.flow.write_paused = True
    assert exchange.push(b"more") is False
    await exchange.finish(b"end")
    status, headers = line.written[0]
    assert status == 200 and (b"access-control-allow-origin", b"https://a.test") in headers
    assert line.written[1:] == [b"chunk", b"more", b"end"]


def test_leaving_is_told_once_it_happens_or_at_once() -> None:
    line, told = Line(), []
    exchange = ShortExchange(line, None)  # type: ignore[arg-type]
    exchange.on_gone(lambda: told.append("left"))
    assert told == [] and line.watcher is not None
    line.watcher()
    line.lost = True
    assert exchange.gone
    exchange.on_gone(lambda: told.append("had left"))
    assert told == ["left", "had left"]


def test_the_connection_behind_a_scope() -> None:
    assert connection_of({}) is None
    assert connection_of({"conflux.connection": "another server's"}) is None
