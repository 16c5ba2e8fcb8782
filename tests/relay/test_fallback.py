"""Another model instead of the one that does not answer: when, which, what it costs, what the client is told."""

from typing import Any

import pytest

from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability, Model, Tier
from tests.policy.samples import caller
from tests.relay.answers import INPUT, OUTPUT, Answer, Piece, broken, refused, request, said, streamed, whole
from tests.relay.shops import shop
from tests.relay.world import KEY, Client, World


def other(name: str = "shop/two", times: float = 1, **fields: Any) -> Model:
    price = PriceSheet(input=int(INPUT * 1000 * times), output=int(OUTPUT * 1000 * times))
    base: dict[str, Any] = {"storefront": "shop", "id": name, "name": "Two", "pool": "pond", "price": price,
                            "capabilities": frozenset(Capability), "tier": Tier.PRO,
                            "safe_context": 100_000}  # fmt: skip
    return Model(**base | fields)


def world(*answers: Answer, more: list[Model] | None = None, on: bool = True, **of_model: Any) -> World:
    """Two models, each with a pool of its own: the first fails, the second does as it likes."""
    front = {"fallback": on}
    found = World(shop(2, of_storefront=front, more=[other()] if more is None else more, **of_model), *answers)
    first, second = found.snapshot.pools["pond"]
    found.snapshot.pools["pond"] = (first,)
    for one in found.snapshot.catalogue.models.values():
        if one.id != "shop/one":
            found.snapshot.pools[one.pool] = (second,)
    return found


TWO = other(pool="lake")
FAILS = refused(500)


def told(one: World) -> tuple[bytes, bytes | None, bytes | None]:
    text = one.client.text
    return (text[b"x-shop-fallback-applied"], text.get(b"x-shop-fallback-reason"), text.get(b"x-shop-fallback-chain"))


async def test_another_model_answers_and_the_client_is_told() -> None:
    one = world(FAILS, whole(), more=[TWO])
    await one.run(request())
    assert one.client.status == 200
    assert told(one) == (b"true", b"upstream_failed", b"shop/one > shop/two")
    assert one.client.text[b"x-shop-requested-model"] == b"shop/one"
    assert one.client.text[b"x-shop-served-model"] == b"shop/two"
    assert one.client.json["model"] == "shop/one"  # what was sent
    assert one.settled.served_model == "shop/two"
    assert [(call.model, call.status) for call in one.settled.calls] == [("shop/one", "failed"), ("shop/two", "done")]
    one.check()


async def test_a_stream_too_and_where_nothing_failed_nothing_is_said_but_false() -> None:
    one = world(FAILS, streamed("hi"), more=[TWO])
    await one.run(request(True))
    assert told(one) == (b"true", b"upstream_failed", b"shop/one > shop/two")
    assert one.client.content == "hi"
    one.check()
    one = world(whole(), more=[TWO])
    await one.run(request())
    assert told(one) == (b"false", None, None)


@pytest.mark.parametrize(("times", "paid"), [(0.5, 0.5), (1.0, 1.0), (1.4, 1.0)])
async def test_the_smaller_of_the_two_totals_is_paid(times: float, paid: float) -> None:
    one = world(FAILS, whole(), more=[other(times=times, pool="lake")])
    await one.run(request())
    assert one.settled.served_model == "shop/two"
    assert one.settled.charge == int((11 * INPUT + 7 * OUTPUT) * paid)
    assert sum(line.amount for line in one.settled.lines) == one.settled.charge
    version = "shop/two" if times < 1 else "shop/one"
    assert one.settled.price_version == one.snapshot.catalogue.models["shop", version].price.version
    # The one that is not charged is recorded beside it.
    full = 11 * INPUT + 7 * OUTPUT
    assert [call.other_cost for call in one.settled.calls] == [None, int(full * max(times, 1.0))]
    one.check()


@pytest.mark.parametrize("header", [b"x-shop-fallback", b"x-conflux-fallback"])
@pytest.mark.parametrize("value", [b"off", b" OFF "])
async def test_off_is_off(header: bytes, value: bytes) -> None:
    one = world(FAILS, whole(), more=[TWO])
    await one.run(request(), headers=[(header, value)])
    assert (one.client.status, len(one.upstream.calls)) == (502, 1)
    one = world(FAILS, whole(), more=[TWO])
    await one.run(request(), headers=[(header, b"on")])
    assert one.client.status == 200


async def test_a_storefront_without_it_fails_plainly() -> None:
    one = world(FAILS, whole(), more=[TWO], on=False)
    await one.run(request())
    assert (one.client.status, len(one.upstream.calls)) == (502, 1)
    one.check()


IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]},
         {"role": "assistant", "content": "nice"}, {"role": "user", "content": "and now?"}]  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
TEXT = frozenset({Capability.TEXT})


@pytest.mark.parametrize(
    ("fields", "of_other", "missing"),
    [
        ({"messages": IMAGE}, {"capabilities": TEXT}, "image"),
        ({"tools": TOOLS}, {"capabilities": TEXT}, "tools"),
        ({"logprobs": True}, {"capabilities": TEXT}, "logprobs"),  # unknown is no
        ({"n": 2}, {}, "n"),
        ({}, {"safe_context": None}, "context"),
        ({}, {"safe_context": 1000}, "context"),
        ({"max_tokens": 3000}, {"max_output": 2999}, "context"),
        ({"max_tokens": 5000}, {"max_output": None}, "context"),
        ({}, {"tier": Tier.CORE}, "tier"),
        ({}, {"tier": None}, "tier"),
        ({}, {"price": PriceSheet()}, "price"),
        ({}, {"times": 1.6}, "price"),
        ({}, {"kind": "embedding"}, "kind"),
        ({"reasoning_effort": "high"}, {"effort": "low"}, "permission"),
    ],
)
async def test_who_might_not_serve_it_does_not(fields: dict[str, Any], of_other: dict[str, Any], missing: str) -> None:
    one = world(FAILS, whole(), more=[other(pool="lake", **of_other)])
    await one.run(request(**fields))
    assert (one.client.status, len(one.upstream.calls)) == (503, 1)
    error = one.client.json["error"]
    assert error["code"] == "no_capable_fallback"
    assert f"{missing} (1 of 1)" in error["message"]
    assert one.settled.charge == 0
    one.check()


async def test_what_the_key_may_not_run_is_no_candidate() -> None:
    one = world(FAILS, whole(), more=[TWO])
    one.keys.callers[KEY] = caller(models=frozenset({"shop/one"}))
    await one.run(request())
    assert one.client.status == 503
    assert "another model" in one.client.json["error"]["message"]


async def test_a_model_whose_targets_are_shut_is_no_candidate() -> None:
    one = world(FAILS, whole(), more=[TWO])
    (target,) = one.snapshot.pools["lake"]
    one.health.of(target.key).ejected_until = one.clock.ticks + 60
    await one.run(request())
    assert one.client.status == 503
    assert "live target (1 of 1)" in one.client.json["error"]["message"]


async def test_a_wait_that_the_provider_named_is_passed_on() -> None:
    one = world(refused(429, headers=[(b"retry-after", b"7")]), more=[])
    await one.run(request())
    assert (one.client.status, one.client.text[b"retry-after"]) == (503, b"7")


async def test_what_the_request_is_to_blame_for_is_nobodys_else_to_answer() -> None:
    one = world(refused(400), whole(), more=[TWO])
    await one.run(request())
    assert (one.client.status, len(one.upstream.calls)) == (400, 1)


async def test_where_the_others_fail_too_the_first_failure_is_told() -> None:
    one = world(refused(429), refused(500), more=[TWO])
    await one.run(request())
    assert (one.client.status, len(one.upstream.calls)) == (429, 2)
    assert one.settled.served_model is None
    one.check()


async def test_never_after_the_first_content() -> None:
    cut: list[Piece] = [broken("body")]
    one = world(streamed("begun", end=cut), whole(), more=[TWO])
    await one.run(request(True))
    assert len(one.upstream.calls) == 1
    assert one.client.content == "begun"
    assert told(one)[0] == b"false"
    one.check()


async def test_a_model_with_no_live_target_is_stood_in_for() -> None:
    one = world(whole(), more=[TWO])
    one.snapshot.pools["pond"] = ()
    await one.run(request())
    assert told(one) == (b"true", b"unavailable", b"shop/one > shop/two")
    one = world(more=[])
    one.snapshot.pools["pond"] = ()
    await one.run(request())
    assert one.client.status == 503
    assert one.upstream.calls == []
    one.check()


async def test_what_falls_back_after_the_head_went_out_says_so_before_its_end() -> None:
    late = Answer([lambda: one.clock.pass_by(16), said("")], fault=None)
    one = world(late, streamed("hi"), more=[TWO])
    await one.run(request(True))
    assert told(one)[0] == b"false"
    assert one.client.content == "hi"
    assert b": served-model shop/two, fallback upstream_failed: shop/one > shop/two\n\n" in one.client.body
    one.check()


@pytest.mark.parametrize(("cap", "status"), [(b"0.001", 503), (b"0.0013", 200)])
async def test_nobody_stands_in_who_is_expected_to_cost_more_than_the_caller_allows(cap: bytes, status: int) -> None:
    one = world(FAILS, whole(), more=[other(times=1.5, pool="lake")])
    await one.run(request(max_tokens=400), headers=[(b"x-shop-max-cost-usd", cap)])
    assert one.client.status == status
    assert (b"max_cost (1 of 1)" in one.client.seen) is (status == 503)


async def test_who_asks_while_the_target_is_shut_is_told_the_same() -> None:
    one = world(*[FAILS] * 20, more=[other(pool="lake")])
    told = []
    for _ in range(8):
        one.client = Client(one)
        await one.run(request(n=2))
        told.append((one.client.status, one.client.json["error"]["code"]))
    assert set(told) == {(503, "no_capable_fallback")}
    (target,) = one.snapshot.pools["pond"]
    assert not one.health.of(target.key).open(one.clock.monotonic())
    one.upstream.script = [refused(400, "not so")]
    one.client = Client(one)
    await one.run(request(n=2))
    assert one.client.status == 400  # its own mistake stays one
