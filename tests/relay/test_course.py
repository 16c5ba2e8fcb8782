"""The law of every request: admit, reserve, settle, in this order, each once, or refuse in clear words."""

import json
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind, StoreError
from conflux.neutral.ledger import Ending
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Scope, Storefront
from tests.policy.samples import caller, model
from tests.relay.answers import (
    INPUT,
    OUTPUT,
    request,
    streamed,
    whole,
)
from tests.relay.shops import shop
from tests.relay.world import KEY, World


async def asked(world: World, body: bytes, **how: Any) -> None:
    assert await world.run(body, **how) is None
    world.check()


async def test_the_hold_says_who_pays_and_covers_the_worst() -> None:
    world = World(None, whole())
    scope = Scope("key", 1, "total", 10**9)
    world.keys.callers[KEY] = caller(key_id=4, user_id=5, workspace_id=6, scopes=(scope,))
    body = request(max_tokens=100)
    await asked(world, body)
    (order,) = world.ledger.reserved
    assert (order.caller_key, order.caller_user, order.caller_workspace, order.scopes) == (4, 5, 6, (scope,))
    assert (order.storefront, order.requested_model, order.simulated) == ("shop", "shop/one", False)
    assert order.created == int(world.clock.now * 1000)
    assert order.amount >= 100 * OUTPUT + world.settled.usage.input * INPUT
    assert order.input_floor == 0  # nothing goes out of it before it is settled


# --- what is refused costs nothing and goes nowhere

BAD: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"not json", 400),
    (b"[]", 400),
    (b'{"model": "shop/one"}', 400),
    (b'{"model": "shop/one", "messages": []}', 400),
    (b'{"model": "shop/one", "messages": [], "messages": []}', 400),
    (b'{"model": "shop/one", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}', 400),
    (b'{"model": "shop/one", "messages": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
    (request(model=None), 400),
    (request(model=7), 400),
    (request(task_type="creative"), 400),
    (request(model=None, task_type="make_coffee"), 400),
    (request(flux={"sources": []}), 400),
    (request(flux={}), 400),
    (request(temperature=3), 400),
    (request(max_tokens=0), 400),
    (request(max_tokens=-1), 400),
    (request(max_tokens=10**12), 400),
    (request(messages=[{"role": "clown", "content": "x"}]), 400),
    (request(messages=[{"role": "user", "content": [{"type": "smell"}]}]), 400),
    (request(response_format={"type": "xml"}), 400),
    (request(model="shop/none"), 404),
    (request(model="shop/off"), 404),
    (request(model="shop/emb"), 400),
    (request(model="shop/unpriced"), 503),
    (request(model="shop/nowhere"), 503),
    (request(model="shop/small", messages=[{"role": "user", "content": "x" * 9000}]), 400),
    (request(model="shop/plain", tools=[{"type": "function", "function": {"name": "f"}}]), 400),
    (request(model="shop/high", reasoning_effort="low"), 400),
]

MORE = [
    model(id="shop/off", enabled=False),
    model(id="shop/emb", kind="embedding"),
    model(id="shop/unpriced", price=PriceSheet(input=1)),
    model(id="shop/nowhere", pool="dry"),
    model(id="shop/small", safe_context=2000),
    model(id="shop/plain"),
    model(id="shop/high", effort="high"),
]


@pytest.mark.parametrize(("body", "status"), BAD, ids=range(len(BAD)))
async def test_bad_input_is_a_clear_error_and_nothing_else(body: bytes, status: int) -> None:
    world = World(shop(more=MORE))
    await asked(world, body)
    assert world.journal == [f"reply {status}"]
    error = world.client.json["error"]
    assert error["message"] and error["type"]
    assert b"x-request-id" in world.client.text
    assert world.meter.outcomes == [None]


@pytest.mark.parametrize(
    ("secret", "fields"),
    [
        (None, {}),
        ("", {}),
        ("sh_other", {}),
        *((KEY, one) for one in ({"revoked": True}, {"expires_at": 1}, {"storefront": "gone"})),
    ],
)
async def test_a_bad_key_is_401_whatever_the_body(secret: str | None, fields: dict[str, Any]) -> None:
    for body in (request(), b"not json", request(model="shop/none")):
        world = World()
        world.keys.callers[KEY] = caller(**fields)
        await asked(world, body, secret=secret)
        assert world.journal == ["reply 401"]


@pytest.mark.parametrize(("kind", "status"), [(Kind.PAYMENT_REQUIRED, 402), (Kind.RATE_LIMITED, 429)])
async def test_a_budget_that_is_spent_ends_it_before_anything_is_sent(kind: Kind, status: int) -> None:
    world = World()
    world.ledger.failures["reserved"] = GatewayError(kind, "not enough", retry_after=90.4)
    await asked(world, request())
    assert world.journal == [f"reply {status}"]
    assert world.client.text[b"retry-after"] == b"90"


# --- the ledger fails


async def test_a_ledger_that_cannot_reserve_gives_no_answer() -> None:
    for stream in (False, True):
        world = World()
        world.ledger.failures["reserved"] = StoreError("disk full at /secret-path")
        await asked(world, request(stream))
        assert world.journal == ["reply 503"]
        assert world.client.text[b"retry-after"] == b"2"
        assert b"disk" not in world.client.body


async def test_a_ledger_that_cannot_start_gives_no_content_and_the_request_is_ended() -> None:
    world = World(None, streamed("hello"))
    world.ledger.failures["started"] = StoreError("disk full")
    await asked(world, request(stream=True))
    assert world.journal == ["reserved", "send", "settled", "reply 503"]
    assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)


async def test_a_ledger_that_cannot_start_and_cannot_settle_is_asked_once() -> None:
    world = World(None, streamed("hello"))
    world.ledger.failures = {"started": StoreError("gone"), "settled": StoreError("gone")}
    assert await world.run(request(stream=True)) is None
    assert world.journal == ["reserved", "send", "reply 503"]
    assert len(world.ledger.asked) == 1
    assert world.upstream.opened[0].closed


async def test_an_answer_that_cannot_be_settled_is_not_given() -> None:
    world = World(None, whole("for free?"))
    world.ledger.failures["settled"] = StoreError("disk full")
    assert await world.run(request()) is None
    assert world.journal == ["reserved", "send", "reply 503"]
    assert len(world.ledger.asked) == 1
    assert b"free" not in world.client.body


async def test_a_stream_that_cannot_be_settled_ends_with_an_error_instead_of_its_last_word() -> None:
    world = World(None, streamed("hello"))
    world.ledger.failures["settled"] = StoreError("disk full")
    assert await world.run(request(stream=True)) is None
    assert world.journal[-1] == "finish"
    assert len(world.ledger.asked) == 1
    assert world.client.events[-2]["error"]["code"] == "unavailable"


async def test_errors_are_worded_by_the_storefront_of_the_key_from_the_moment_it_is_known() -> None:
    catalogue = shop(of_storefront={"error_style": "conflux"})
    mall = Storefront(id="mall", name="Mall", mount="/mall", error_style="openai", header_prefix="mall")
    catalogue.storefronts["mall"] = mall
    for storefront, flat in (("shop", True), ("mall", False)):
        world = World(catalogue)
        world.keys.callers[KEY] = caller(storefront=storefront)
        await asked(world, request(model="nobody"))
        error = json.loads(world.client.body)["error"]
        assert (error == "Model not found") is flat
        assert world.client.storefront is catalogue.storefronts[storefront]
    # without a key it is the root's, and under a mount the mount's
    world = World(catalogue)
    await asked(world, request(), secret=None, mount=mall)
    assert world.client.storefront is mall
