"""From a request for a task to its model: whose wish counts, what is reckoned with, what is remembered."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet, Rate
from conflux.neutral.records import Capability, Tier
from conflux.relay.routed import NoModel, measured_as
from conflux.routing.board import Entry
from tests.policy.samples import caller, model
from tests.relay.answers import request
from tests.relay.shops import shop
from tests.relay.test_admit import TASKED, admitted, refused, tiered
from tests.relay.world import World


def entries(catalogue: Catalogue, **how: Any) -> dict[str, Entry]:
    found = admitted(request(model=None, task_type="creative"), catalogue, **how)
    assert found.route is not None
    return {entry.model.id: entry for entry in found.route.decision.board.entries}


def preset(body: bytes, headers: Any = None, catalogue: Catalogue = TASKED) -> str:
    found = admitted(body, catalogue, headers=headers)
    assert found.route is not None
    return found.route.decision.board.preset.name


def test_the_field_counts_before_the_header_and_the_header_before_the_storefront() -> None:
    body = request(model=None, task_type="creative")
    slow = shop(more=[tiered("shop/cheap", 1)], of_storefront={"prefer": "quality"})
    assert preset(body) == "balanced"
    assert preset(body, catalogue=slow) == "quality"
    for name in (b"x-conflux-prefer", b"x-shop-prefer"):
        assert preset(body, [(name, b" speed ")], slow) == "speed"
    assert preset(request(model=None, task_type="creative", prefer="cost"), [(b"x-shop-prefer", b"speed")]) == "cost"


@pytest.mark.parametrize("fields", [{"model": None, "task_type": "creative"}, {"model": "shop/one"}])
def test_an_unknown_wish_is_refused_by_name(fields: dict[str, Any]) -> None:
    for value in ("fast", 7, ["cost"]):
        error = refused(request(prefer=value, **fields), TASKED)
        assert (error.kind, error.param) == (Kind.INVALID, "prefer")


def test_a_cap_leaves_out_what_is_expected_to_cost_more() -> None:
    body = request(model=None, task_type="creative")
    free = admitted(body, TASKED)
    capped = admitted(body, TASKED, headers=[(b"x-shop-max-cost-usd", b" 100 ")])
    assert free.model.id == capped.model.id
    with pytest.raises(NoModel) as none:
        admitted(body, TASKED, caller(models=frozenset({"shop/one"})),
                 headers=[(b"x-conflux-max-cost-usd", b"0.000000001")])  # fmt: skip
    assert "max_cost" in none.value.routed.decision.dropped and "max_cost" in none.value.message


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {}}}},
        {"logprobs": True},
        {"n": 2},
    ],
)
def test_a_task_goes_to_who_certainly_serves_what_is_asked(asked: dict[str, Any]) -> None:
    able = [one for one in Capability if one in (Capability.STRUCTURED_OUTPUTS, Capability.LOGPROBS)]
    more = [tiered("shop/cheap", 1), tiered("shop/able", 2000, *able, supported_parameters=("n",))]
    body = request(model=None, task_type="creative", prefer="cost", max_tokens=50, **asked)
    both = admitted(body, shop(more=more, enabled=False))
    assert both.model.id == "shop/able" and both.route is not None
    assert both.route.decision.dropped["uncertain"] == 1
    alone = admitted(body, shop(more=more[:1], enabled=False))
    assert alone.model.id == "shop/cheap"


def test_a_cap_is_held_against_what_the_customer_pays() -> None:
    paid, cost = (
        PriceSheet(input=0, output=0, request=9_000_000_000),
        PriceSheet(input=0, output=0, request=4_000_000_000),
    )
    catalogue = shop(price=paid, of_target={"cost": cost})
    body = request(model=None, task_type="creative")
    assert admitted(body, catalogue, headers=[(b"x-conflux-max-cost-usd", b"0.0091")]).model.id == "shop/one"
    with pytest.raises(NoModel, match="max_cost 1"):
        admitted(body, catalogue, headers=[(b"x-conflux-max-cost-usd", b"0.008")])


@pytest.mark.parametrize("said", [b"", b"0", b"-1", b"much", b"1e3", b"0.0000000001", b"nan"])
def test_a_cap_that_is_no_amount_is_refused_by_name(said: bytes) -> None:
    with pytest.raises(GatewayError, match="max-cost-usd") as wrong:
        admitted(request(model=None, task_type="creative"), TASKED, headers=[(b"x-conflux-max-cost-usd", said)])
    assert (wrong.value.kind, wrong.value.param) == (Kind.INVALID, "x-conflux-max-cost-usd")


def test_what_the_house_pays_counts_and_where_it_is_not_known_the_price() -> None:
    cost = PriceSheet(input=700, output=900, cache_read=70, request=5_000)
    with_cost = entries(shop(of_target={"cost": cost}))["shop/one"]
    assert (with_cost.fresh, with_cost.cached, with_cost.output, with_cost.fee) == pytest.approx((0.7, 0.07, 0.9, 5.0))
    price = PriceSheet(input=3000, output=4000, rate=Rate(currency="CNY", nano_usd=140_000_000, date=""))
    without = entries(shop(price=price))["shop/one"]
    assert (without.fresh, without.cached, without.output) == pytest.approx((0.42, 0.42, 0.56))
    half = PriceSheet(input=700)
    assert entries(shop(of_target={"cost": half}, price=price))["shop/one"].fresh == pytest.approx(0.42)


def test_a_model_nobody_knows_the_price_of_is_out() -> None:
    found = entries(shop(more=[tiered("shop/cheap", 1), model(id="shop/free", tier=Tier.PRO, price=PriceSheet())]))
    assert found["shop/free"].out == "price"
    assert {name for name, entry in found.items() if entry.out is None} == {"shop/one", "shop/cheap"}


def test_an_effort_that_is_fixed_serves_only_those_who_ask_for_it() -> None:
    able = (Capability.REASONING, Capability.TEXT)
    catalogue = shop(more=[tiered("shop/high", 1, *able, effort="high"), tiered("shop/low", 2, *able, effort="low")])
    for effort in ("high", "low"):
        found = admitted(request(model=None, task_type="creative", reasoning_effort=effort), catalogue)
        assert found.model.id == f"shop/{effort}"
    assert admitted(request(model=None, task_type="creative"), catalogue).model.id == "shop/high"


def test_what_does_not_fit_the_context_is_not_asked_for() -> None:
    catalogue = shop(more=[tiered("shop/small", 1, safe_context=1500)])
    assert admitted(request(model=None, task_type="creative"), catalogue).model.id == "shop/small"
    long = [{"role": "user", "content": "x" * 3000}]
    found = admitted(request(model=None, task_type="creative", messages=long), catalogue)
    assert found.model.id == "shop/one"
    assert found.route is not None and found.route.decision.dropped == {"context": 1}


def test_where_nobody_is_left_the_refusal_says_why_and_carries_the_decision() -> None:
    error = refused(request(model=None, task_type="deep_reasoning"), TASKED)
    assert isinstance(error, NoModel) and "tier 4" in error.message
    assert error.routed.decision.place is None and error.routed.decision.dropped == {"tier": 4}


def test_answers_are_measured_alike_by_pool_and_effort_and_the_simulators_apart() -> None:
    assert measured_as(model(), simulated=False) == measured_as(model(id="other"), simulated=False)
    assert measured_as(model(effort="high"), simulated=False) != measured_as(model(), simulated=False)
    assert measured_as(model(), simulated=True) != measured_as(model(), simulated=False)


def test_boards_are_shared_by_callers_alike_and_gone_with_the_snapshot() -> None:
    world = World(TASKED)
    body = request(model=None, task_type="creative")

    def board(**by: Any) -> Any:
        found = admitted(body, by=caller(**by), world=world)
        assert found.route is not None
        return found.route.decision.board

    first = board()
    assert board() is first is board(key_id=2)
    assert board(models=frozenset({"shop/one"})) is not first
    assert len(world.snapshot.boards) == 2
    world.snapshot.boards.clear()
    assert board() is not first


def test_a_whole_conversation_goes_on_where_it_was() -> None:
    pair = shop(more=[tiered("shop/near", 1_000, Capability.TEXT), tiered("shop/best", 900, Capability.TEXT)])
    world = World(pair)
    body = request(model=None, task_type="creative")
    first = admitted(body, world=world)
    assert first.route is not None and first.route.conversation is not None and first.model.id == "shop/best"
    homes = world.parts.health.measures.homes
    homes.keep(first.route.conversation, "shop/near", 10, world.clock.monotonic())
    second = admitted(body, world=world)
    assert second.route is not None and (second.model.id, second.route.decision.reason) == ("shop/near", "stays")
    assert admitted(body, by=caller(key_id=2), world=world).model.id == "shop/best"  # another's is another


@pytest.mark.parametrize(
    ("fields", "tried"),
    [
        ({"task_type": "creative"}, True),
        ({"task_type": "creative", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y",
          "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
          {"role": "tool", "tool_call_id": "c", "content": "4"}]}, False),
        ({"task_type": "agentic_complex"}, False),
    ],
)  # fmt: skip
def test_nothing_is_tried_out_inside_a_tool_loop_nor_on_agents(fields: dict[str, Any], tried: bool) -> None:
    able = {"tier": Tier.ULTRA, "capabilities": frozenset(Capability)}
    price = PriceSheet(input=1000, output=1000)
    world = World(shop(more=[model(id=f"shop/{name}", price=price, **able) for name in "ab"]))
    reasons = set()
    for seed in range(400):
        found = admitted(request(model=None, **fields), world=world, seed=seed)
        assert found.route is not None
        reasons.add(found.route.decision.reason)
    assert ("explored" in reasons) is tried


def test_a_refusal_is_an_error_like_any_other() -> None:
    with pytest.raises(GatewayError):
        admitted(request(model=None, task_type="deep_reasoning"), TASKED)
