"""Rate limits on the way of a request: told on good answers and bad ones, and given back whatever happens."""

import asyncio
from collections.abc import Callable

import pytest

from conflux.neutral.errors import GatewayError, Kind, StoreError
from tests.policy.samples import caller, policy
from tests.relay.answers import Answer, broken, refused, request, streamed, whole
from tests.relay.world import KEY, Client, World


def limited(*answers: Answer, **terms: int) -> World:
    world = World(None, *answers)
    world.keys.callers[KEY] = caller(policies=(policy("key", **terms),))
    return world


async def again(world: World, *, stream: bool = False) -> Client:
    world.client = Client(world)
    await world.run(request(stream))
    return world.client


async def test_what_is_left_is_told_on_good_answers() -> None:
    world = limited(whole(), whole(), streamed("hi"), requests_per_minute=10, tokens_per_minute=10_000)
    for left in (b"9", b"8"):
        client = await again(world)
        assert (client.status, client.text[b"x-ratelimit-remaining-requests"]) == (200, left)
        assert client.text[b"x-ratelimit-limit-tokens"] == b"10000"
    client = await again(world, stream=True)
    assert (client.status, client.text[b"x-ratelimit-remaining-requests"]) == (200, b"7")
    world.check()


async def test_tokens_are_corrected_to_what_was_used() -> None:
    world = limited(tokens_per_minute=100_000)
    client = await again(world)
    used = world.settled.usage.total
    assert 0 < used < 1000
    assert client.text[b"x-ratelimit-remaining-tokens"] == b"%d" % (100_000 - used)
    failed = limited(refused(400), tokens_per_minute=100_000)
    client = await again(failed)
    assert client.text[b"x-ratelimit-remaining-tokens"] == b"100000"


async def test_a_spent_minute_is_429_in_the_storefronts_words() -> None:
    world = limited(requests_per_minute=1)
    assert (await again(world)).status == 200
    client = await again(world)
    assert client.status == 429
    assert client.text[b"retry-after"] == b"60"
    assert client.text[b"x-ratelimit-remaining-requests"] == b"0"
    assert client.json["error"]["code"] == "rate_limit_exceeded"
    assert len(world.ledger.reserved) == len(world.upstream.calls) == 1  # refused before anything was held or sent
    world.clock.ticks += 60
    assert (await again(world)).status == 200


async def test_a_caller_without_limits_hears_nothing_of_them() -> None:
    world = World()
    world.keys.callers[KEY] = caller(policies=(policy(deny=("x",)),))
    client = await again(world)
    assert not [name for name, _ in client.headers if name.startswith(b"x-ratelimit")]
    assert world.rates._meters == {}


def bad_body(world: World) -> bytes:
    return b"{"


def unknown_model(world: World) -> bytes:
    return request(model="nobody")


def reserve_fails(world: World) -> bytes:
    world.ledger.failures["reserved"] = StoreError("disk")
    return request()


def no_budget(world: World) -> bytes:
    world.ledger.failures["reserved"] = GatewayError(Kind.PAYMENT_REQUIRED, "spent")
    return request()


def start_fails(world: World) -> bytes:
    world.ledger.failures["started"] = StoreError("disk")
    return request(True)


def settle_fails(world: World) -> bytes:
    world.ledger.failures["settled"] = StoreError("disk")
    return request()


def upstream_fails(world: World) -> bytes:
    world.upstream.script = [Answer(fault=broken())]
    return request()


def upstream_refuses(world: World) -> bytes:
    world.upstream.script = [refused(400)]
    return request()


def breaks_off(world: World) -> bytes:
    world.upstream.script = [streamed("hel", "lo", end=[broken("body")])]
    return request(True)


def defect(world: World) -> bytes:
    world.ledger.failures["reserved"] = ValueError("a mistake of ours")
    return request()


def late_defect(world: World) -> bytes:
    world.ledger.failures["started"] = ValueError("a mistake of ours")
    return request(True)


def already_gone(world: World) -> bytes:
    world.client.gone = True
    return request()


STAGES: list[Callable[[World], bytes]] = [
    bad_body, unknown_model, reserve_fails, no_budget, start_fails, settle_fails, upstream_fails, upstream_refuses,
    breaks_off, defect, late_defect, already_gone,
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES, ids=lambda one: one.__name__)
async def test_a_slot_is_free_after_whatever_went_wrong(stage: Callable[[World], bytes]) -> None:
    world = limited(concurrent=1)
    await world.run(stage(world))
    assert world.rates.running() == 0
    world.ledger.failures.clear()
    world.upstream.script.clear()
    assert (await again(world)).status == 200


async def test_a_slot_is_taken_while_a_request_is_under_way() -> None:
    world = limited(whole(), concurrent=1)
    running: list[int] = []
    world.at = 1
    world.disturb = lambda: running.append(world.rates.running())
    assert (await again(world)).status == 200
    assert running == [1] and world.rates.running() == 0
    ticket = world.rates.take(world.keys.callers[KEY].policies, 0, 0)
    client = await again(world)
    assert (client.status, client.text[b"retry-after"]) == (429, b"1")
    ticket.close()
    assert (await again(world)).status == 200


async def test_a_slot_is_free_before_the_last_byte() -> None:
    """Whoever has the whole answer may ask again at once."""
    world = limited(concurrent=1)
    seen: list[int] = []
    client = world.client
    reply = client.reply

    async def watched(*args: object) -> None:
        seen.append(world.rates.running())
        await reply(*args)  # type: ignore[arg-type]

    client.reply = watched  # type: ignore[method-assign, assignment]
    await world.run(request())
    await asyncio.sleep(0)
    assert seen == [0]
