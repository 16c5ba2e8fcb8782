"""Lists, receipts, the caller's key, health: reads, each for whom it is meant."""

import json

import pytest

from conflux.faces.public import receipt_view
from conflux.neutral.ledger import Call, Ending, Line, Receipt, request_id_text
from conflux.neutral.usage import Provenance, Usage
from tests.faces.door import opened
from tests.policy.samples import caller, policy
from tests.relay.shops import shop
from tests.relay.world import KEY, World

BEARER = f"authorization: Bearer {KEY}"
NUMBER = 1 << 61


def receipt(**fields: object) -> Receipt:
    base = {
        "request_id": NUMBER, "created": 1_700_000_000_123, "caller_key": 1, "storefront": "shop",
        "requested_model": "uno", "served_model": "shop/one", "ending": Ending.DONE, "usage": Usage(input=28, output=9),
        "provenance": Provenance.PROVIDER, "price_version": "1", "cost": 60_900, "credits": 84_000, "simulated": False,
        "lines": (Line("input", 28, 435_000, 12_180),), "dropped": ("provider",), "status": 200,
        "calls": (Call(role="direct", model="shop/one", status="done", latency_ms=5, cost=60_900, reason="status 500",
                       target="canary/up/cloud", provider_cost=7, upstream_id="canary-id"),),
    }  # fmt: skip
    return Receipt(**(base | fields))  # type: ignore[arg-type]


def test_a_receipt_has_exact_money_and_hides_targets() -> None:
    view = receipt_view(receipt(), admin=False)
    assert view["cost_usd"] == "0.0000609" and view["credits"] == "0.084"
    assert view["lines"] == [{"bucket": "input", "quantity": 28, "unit_price": "0.000000435", "amount": "0.00001218"}]
    assert view["created"] == 1_700_000_000 and view["id"] == request_id_text(NUMBER)
    assert "canary" not in json.dumps(view, default=str) and "500" not in str(view["calls"])
    assert "target" not in view["calls"][0]


@pytest.mark.parametrize(("status", "told"), [("failed", "the attempt failed"), ("cancelled", "not waited for")])
def test_a_leg_that_was_let_go_did_not_fail(status: str, told: str) -> None:
    leg = Call(role="direct", model="shop/one", status=status, latency_ms=5, reason="canary")
    assert receipt_view(receipt(calls=(leg,)), admin=False)["calls"][0]["reason"] == told


def test_of_a_model_that_stood_in_both_totals_are_told() -> None:
    assert "other_cost_usd" not in receipt_view(receipt(), admin=True)["calls"][0]
    served = Call(role="direct", model="shop/two", status="done", latency_ms=5, cost=5, other_cost=7)
    call = receipt_view(receipt(calls=(served,)), admin=False)["calls"][0]
    assert (call["cost_usd"], call["other_cost_usd"]) == ("0.000000005", "0.000000007")


def test_an_admin_sees_what_was_really_called() -> None:
    call = receipt_view(receipt(), admin=True)["calls"][0]
    assert call["target"] == "canary/up/cloud" and call["provider_cost_usd"] == "0.000000007"
    assert call["upstream_id"] == "canary-id" and call["reason"] == "status 500"


async def test_lists_need_no_key_but_refuse_a_bad_one() -> None:
    async with opened(World(shop())) as door:
        status, _, body = await door.get("/v1/models")
        assert status == 200 and [row["id"] for row in json.loads(body)["data"]] == ["shop/one"]
        for key in ("authorization: Bearer nonsense", "authorization: Basic x", "x-api-key: nonsense"):
            status, _, _ = await door.get("/v1/models", key)
            assert status == 401


@pytest.mark.parametrize("name", ["shop/one", "shop%2Fone", "uno"])
async def test_one_model_by_id_and_alias(name: str) -> None:
    async with opened(World(shop())) as door:
        status, _, body = await door.get(f"/v1/models/{name}")
        assert status == 200 and json.loads(body)["id"] == "shop/one"


async def test_an_unknown_model_is_404() -> None:
    async with opened(World(shop())) as door:
        status, _, body = await door.get("/v1/models/" + "x" * 10_000)
        assert status == 404 and len(body) < 1000


async def test_a_key_sees_itself() -> None:
    async with opened(World(shop())) as door:
        status, head, body = await door.get("/v1/key", BEARER)
        assert status == 200 and b"no-cache" in head
        assert json.loads(body)["budgets"] == [
            {"scope": "key", "window": "total", "spent_usd": "0.000000001", "held_usd": "0.000000002",
             "cap_usd": "0.00000001", "left_usd": "0.000000007", "resets_at": None}
        ]  # fmt: skip
        assert json.loads(body)["limits"] == []
        assert (await door.get("/v1/key"))[0] == 401


async def test_a_key_sees_how_fast_it_may_go() -> None:
    world = World(shop())
    world.keys.callers[KEY] = caller(policies=(policy("workspace", deny=("a",)), policy("user", concurrent=2)))
    async with opened(world) as door:
        _, _, body = await door.get("/v1/key", BEARER)
        assert json.loads(body)["limits"] == [
            {"scope": "user", "requests_per_minute": None, "tokens_per_minute": None, "concurrent": 2}
        ]


async def test_readiness_says_what_is_wrong() -> None:
    async with opened(World(shop())) as door:
        assert (await door.get("/health/ready"))[0] == 200
        door.problems["ledger"] = "nothing can be written"
        status, head, body = await door.get("/health/ready")
        assert status == 503 and b"retry-after" in head and b"nothing can be written" in body
        assert (await door.get("/health/live"))[0] == 200


async def test_metrics_are_for_admins_or_elsewhere() -> None:
    async with opened(World(shop())) as door:
        assert (await door.get("/metrics"))[0] == 401
        assert (await door.get("/metrics", BEARER))[0] == 403
    async with opened(World(shop()), metrics=False) as door:
        assert (await door.get("/metrics", BEARER))[0] == 404
