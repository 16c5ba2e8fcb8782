"""Clients that leave: the upstream is let go, the receipt is settled, nothing stays behind."""

import asyncio
import random

import pytest

from tests.system.serving import Served, said
from tests.system.upstreams import Upstreams
from tests.system.wire import Wire, happens, request, wire

HELD = "[[slow-first: 600000]]"
DRIP = "[[stream: 100000 at 50]]"
EVENTS = 12


def ask(key: str, text: str, *, stream: bool = True) -> bytes:
    return request(key, text, model="acme/good", stream=stream)


async def leave(real: Served, upstreams: Upstreams, key: str, data: bytes, shown: bytes) -> str:
    """Send, wait until `shown` is received (or, where that is nothing, until the upstream has the request), go. The
    request's id, as the upstream heard it."""
    log = upstreams.sim.log
    seen = log.received
    async with wire(real.port) as one:
        await one.send(data)
        if shown:
            await one.until(shown)
        await happens(lambda: log.received > seen, "the upstream has the request")
        record = log.records[-1]
        assert record.ended == "open"
    await happens(lambda: record.ended != "open", "the upstream is let go")
    return record.request_id


CASES = {
    "before the first byte, streamed": (HELD, True, b""),
    "before the first byte, plain": (HELD, False, b""),
    "before the first byte, stalled": ("[[fail: stall-before]]", True, b""),
    "in the middle": (DRIP, True, b"003 "),
    "in the middle, stalled": ("[[stream: 9]] [[fail: stall-mid 4]]", True, b"003 "),
    "in the middle, at full speed": ("[[fail: endless-events]]", True, b"data: "),
    "while a plain answer is made": ("[[stream: 100000 at 50]]", False, b""),
    "while a plain answer is stalled": ("[[fail: stall-mid]]", False, b""),
}


@pytest.mark.parametrize(("text", "stream", "shown"), CASES.values(), ids=CASES)
async def test_case_36_a_client_that_leaves(
    real: Served, real_key: str, upstreams: Upstreams, text: str, stream: bool, shown: bytes
) -> None:
    number = await leave(real, upstreams, real_key, ask(real_key, text, stream=stream), shown)
    await happens(lambda: real.in_flight == 0, "the request ends")
    receipt = await asyncio.to_thread(real.settled, real_key, number)
    assert receipt["status"] == "cancelled"
    if shown:
        assert receipt["provenance"] == "partial" and float(receipt["cost_usd"]) > 0
    else:
        assert receipt["cost_usd"] == "0"


async def test_case_36_a_client_that_leaves_on_the_long_way(real: Served, real_key: str, upstreams: Upstreams) -> None:
    for text, shown in ((HELD, b""), (DRIP, b"003 ")):
        data = ask(real_key, text).replace(b"completions HTTP", b"completions?beta=true HTTP")
        number = await leave(real, upstreams, real_key, data, shown)
        await happens(lambda: real.in_flight == 0, "the request ends")
        receipt = await asyncio.to_thread(real.settled, real_key, number)
        assert receipt["status"] == "cancelled"


async def test_a_client_that_hangs_up_in_its_own_body(real: Served, real_key: str, upstreams: Upstreams) -> None:
    seen = upstreams.received
    for data in (ask(real_key, HELD)[:-5], ask(real_key, HELD)[:60], b"POST /v1/chat"):
        async with wire(real.port) as one:
            await one.send(data)
    await happens(lambda: real.in_flight == 0, "nothing is under way")
    assert upstreams.received == seen


@pytest.mark.parametrize("query", [b"", b"?beta=true"], ids=["short way", "long way"])
async def test_a_client_that_hangs_up_in_the_line(
    real: Served, real_key: str, upstreams: Upstreams, query: bytes
) -> None:
    """It has asked again before the answer came, and leaves then: it is noticed all the same."""
    log = upstreams.sim.log
    seen = log.received
    async with wire(real.port) as one:
        first = ask(real_key, HELD).replace(b"completions HTTP", b"completions" + query + b" HTTP")
        await one.send(first + ask(real_key, "hello") + b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n")
        await happens(lambda: log.received > seen, "the upstream has the request")
        record = log.records[-1]
        await one.send(ask(real_key, "hello"))
    await happens(lambda: record.ended == "client left", "the upstream is let go")
    await happens(lambda: real.in_flight == 0, "the request ends")


async def test_a_client_may_leave_after_each_event(real: Served, real_key: str, upstreams: Upstreams) -> None:
    """It pays for what it was shown, once; and nothing is left of any of them."""
    await happens(lambda: at_rest(real), "it is quiet")
    before, paid = real.handles(), []
    for count in range(EVENTS + 1):
        text = f"[[stream: {EVENTS + 1}]] [[fail: stall-mid {count}]]" if count else "[[fail: stall-before]]"
        shown = f"{count - 1:03d}".encode() if count else b""
        number = await leave(real, upstreams, real_key, ask(real_key, text), shown)
        await happens(lambda: real.in_flight == 0, "the request ends")
        receipt = await asyncio.to_thread(real.settled, real_key, number)
        assert receipt["status"] == "cancelled"
        paid.append(receipt["usage"]["output"])
    assert paid == list(range(EVENTS + 1)), "a word is a token of four bytes"
    await happens(lambda: at_rest(real), "it is quiet again")
    await happens(lambda: upstreams.sim.log.open == 0, "the upstream is let go by all")
    await happens(lambda: real.handles() <= before, "no socket is left")
    await clean(real)


def at_rest(real: Served) -> bool:
    status = real.ask("server.status")
    idle = all(one["open"] == one["idle"] and not one["waiting"] for one in status["upstreams"].values())
    return bool(status["in_flight"] == 0 and idle)


async def clean(real: Served) -> None:
    admin = await asyncio.to_thread(lambda: real.get("/metrics", key=real.key(admin=True)).body)
    assert b"conflux_in_flight 0.0" in admin
    verified = await asyncio.to_thread(real.ask, "ledger.verify")
    assert verified["checked_open"] == 0
    assert not [name for name, count in verified.items() if count and not name.startswith("checked")]


async def test_fifty_clients_that_leave_at_any_time_leave_nothing_behind(
    real: Served, real_key: str, upstreams: Upstreams
) -> None:
    chance = random.Random(7)

    async def come_and_go() -> None:
        text = chance.choice([HELD, DRIP, "[[stream: 50 at 200]]", "[[fail: stall-mid 4]]"])
        async with wire(real.port) as one:
            await one.send(ask(real_key, text, stream=chance.random() < 0.7))
            await asyncio.sleep(chance.random() * 0.3)

    await happens(lambda: at_rest(real), "it is quiet")
    before, sims = real.handles(), upstreams.sim.connections
    await asyncio.gather(*(come_and_go() for _ in range(50)))
    await happens(lambda: at_rest(real), "it is quiet again")
    await happens(lambda: upstreams.sim.log.open == 0, "the upstream is let go by all")
    # Connections to the upstream that are kept for the next request are no leak; there were as many at once at most.
    kept = upstreams.sim.connections - sims
    await happens(lambda: real.handles() <= before + max(kept, 0), "no socket is left")
    await clean(real)


async def test_answers_never_cross(real: Served, real_key: str) -> None:
    """Cancelled and finished requests share the upstream's connections; each answer is its own request's."""
    chance = random.Random(11)

    async def one_of_many(number: int) -> None:
        async with wire(real.port) as one:
            stream = chance.random() < 0.5
            await one.send(ask(real_key, f"[[say: nonce-{number:04d}-end]]", stream=stream))
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.02)
                return
            text = await _text(one, stream=stream)
            assert text == f"nonce-{number:04d}-end"

    for start in range(0, 200, 25):
        await asyncio.gather(*(one_of_many(start + place) for place in range(25)))


async def _text(one: Wire, *, stream: bool) -> str:
    answer = await one.answer()
    if not stream:
        content: str = answer.json()["choices"][0]["message"]["content"]
        return content
    return said(answer.events())
