"""Signals under way: nothing that was begun is dropped, and nothing ends unsettled."""

import asyncio
import signal

import pytest

from tests.system.fixtures import Starter, real_config
from tests.system.serving import Answer, Served, events, said
from tests.system.upstreams import Upstreams
from tests.system.wire import Wire, happens, request, wire

MODEL = (
    '[[model]]\nstorefront = "conflux"\nid = "acme/late"\npool = "acme-good"\nprice = { input = "1", output = "1" }\n'
)


async def streaming(served: Served, key: str, open_: Wire, tokens: int, rate: int) -> None:
    """Begin a stream, and wait until it runs."""
    await open_.send(request(key, f"[[stream: {tokens} at {rate}]]", model="acme/good", stream=True))
    await open_.until(b"003 ")


def numbers(answer: Answer) -> int:
    """How many of the simulator's counted words arrived, without a gap."""
    words = said(answer.events()).split()
    assert words == [f"{number % 1000:03d}" for number in range(len(words))]
    return len(words)


async def test_hangup_with_a_good_and_a_broken_file_under_streams(start: Starter, upstreams: Upstreams) -> None:
    served = start(real_config(upstreams))
    key = served.key()
    good = served.config.read_text()
    assert served.get("/v1/models/acme/late", key=key).status == 404
    async with wire(served.port) as first, wire(served.port) as second:
        await asyncio.gather(*(streaming(served, key, one, 50, 40) for one in (first, second)))
        served.config.write_text(good + MODEL)
        served.signal(signal.SIGHUP)
        await happens(lambda: "read again" in served.stderr, "a good file is taken")
        assert served.get("/v1/models/acme/late", key=key).status == 200
        served.config.write_text(good + MODEL + "colour = ")
        served.signal(signal.SIGHUP)
        await happens(lambda: "the old one stays" in served.stderr, "a broken file is refused")
        assert served.get("/v1/models/acme/late", key=key).status == 200
        assert served.chat(key, "hello", model="acme/late").status == 200
        for one in (first, second):
            answer = await one.answer()
            assert numbers(answer) == 50 and answer.events()[-1] == "[DONE]"
            assert served.receipt(key, answer)["status"] == "done"
    assert served.stop() == 0


async def test_terminate_finishes_the_streams_first(start: Starter, upstreams: Upstreams) -> None:
    served = start(real_config(upstreams))
    key = served.key()
    async with wire(served.port) as short, wire(served.port) as plain, wire(served.port) as idle:
        await idle.send(request(key, model="acme/good"))
        assert (await idle.answer()).status == 200
        await plain.send(request(key, "[[slow-first: 800]]", model="acme/good"))
        await streaming(served, key, short, 40, 40)
        await happens(lambda: served.in_flight == 2, "both are under way")
        served.signal(signal.SIGTERM)
        assert await idle.closed()
        answer = await short.answer()
        assert numbers(answer) == 40 and answer.events()[-1] == "[DONE]"
        assert (await plain.answer()).status == 200
    assert await asyncio.to_thread(served.wait) == 0


PATIENT = {"CONFLUX_LIMITS__DRAIN_SECONDS": "60"}


async def test_terminate_lets_in_who_has_not_heard_of_it(start: Starter, upstreams: Upstreams) -> None:
    served = start(real_config(upstreams), CONFLUX_LIMITS__DRAIN_SECONDS="1")
    key = served.key()
    async with wire(served.port) as idle:
        await idle.send(request(key, model="acme/good"))
        assert (await idle.answer()).status == 200
        served.signal(signal.SIGTERM)
        await happens(lambda: served.get("/health/ready").status == 503, "it is not ready")
        assert served.get("/health/live").status == 200
        assert served.chat(key, "hello", model="acme/good").status == 200, "on a new connection"
        await idle.send(request(key, model="acme/good"))
        answer = await idle.answer()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert await idle.closed()
    assert await asyncio.to_thread(served.wait) == 0


async def test_a_person_at_the_keyboard_does_not_wait_for_a_load_balancer(start: Starter) -> None:
    served = start(None, **PATIENT)
    served.signal(signal.SIGINT)
    assert await asyncio.to_thread(served.wait) == 0


@pytest.mark.parametrize("drain", ["60", "0"], ids=["at the doors", "behind them"])
async def test_a_second_signal_ends_at_once_and_settles(start: Starter, upstreams: Upstreams, drain: str) -> None:
    served = start(real_config(upstreams), CONFLUX_LIMITS__DRAIN_SECONDS=drain)
    key = served.key()
    async with wire(served.port) as long:
        await streaming(served, key, long, 100_000, 40)
        served.signal(signal.SIGTERM)
        await happens(lambda: "stopping:" in served.stderr, "it has heard")
        served.signal(signal.SIGTERM)
        cut = await long.answer()
    assert await asyncio.to_thread(served.wait) == 0
    assert "incomplete" in events(cut.body)[-2]["error"]["message"]
    again = start(folder=served.folder)
    assert again.receipt(key, cut)["status"] == "cut"


async def test_terminate_cuts_what_is_too_long(start: Starter, upstreams: Upstreams) -> None:
    served = start(real_config(upstreams).replace("[limits]", "[limits]\ngraceful_seconds = 1"))
    key = served.key()
    async with wire(served.port) as long, wire(served.port) as plain:
        await streaming(served, key, long, 100_000, 40)
        await plain.send(request(key, "[[slow-first: 60000]]", model="acme/good"))
        await happens(lambda: served.in_flight == 2, "both are under way")
        served.signal(signal.SIGTERM)
        cut = await long.answer()
        refused = await plain.answer()
    assert await asyncio.to_thread(served.wait) == 0
    found = events(cut.body)
    assert found[-1] == "[DONE]" and "incomplete" in found[-2]["error"]["message"]
    assert refused.status == 503 and refused.json()["error"]["code"] == "unavailable"
    again = start(folder=served.folder)
    receipt = again.receipt(key, cut)
    assert (receipt["status"], receipt["provenance"]) == ("cut", "partial")
    assert receipt["usage"]["output"] >= 4 and float(receipt["cost_usd"]) > 0
    assert again.receipt(key, refused)["cost_usd"] == "0"
    assert not [n for n, count in again.ask("ledger.verify").items() if count and not n.startswith("checked")]
