"""An explanation and the request itself: the same choice by the same numbers."""

import random
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.neutral.money import PriceSheet, usd
from conflux.neutral.records import Tier
from conflux.relay.admit import admit
from conflux.relay.explain import explained
from conflux.relay.parts import Incoming
from conflux.routing.choice import MOST_ATTEMPTS
from conflux.routing.measures import Answer
from tests.policy.samples import caller
from tests.relay.answers import request
from tests.relay.panels import asks, house, seat
from tests.relay.shops import shop
from tests.relay.test_admit import tiered
from tests.relay.world import KEY, World


async def test_what_is_explained_is_what_happens() -> None:
    chance = random.Random(5)
    catalogue = shop(more=[tiered(f"shop/m{place}", chance.randrange(1, 3_000_000)) for place in range(12)])
    world = World(catalogue)
    for _ in range(40):
        body = request(model=None, task_type="creative", prefer=chance.choice(("cost", "speed", "quality")),
                       max_tokens=chance.randrange(10, 3000))  # fmt: skip
        incoming = Incoming(dialect="openai-chat", body=body, secret=KEY, headers=[], mount=None)
        _, shown = await explained(world.parts, incoming)
        front = world.snapshot.catalogue.storefronts["shop"]
        found = admit(world.parts, world.snapshot, caller(), front, DIALECTS["openai-chat"], incoming)
        if "explored" not in (shown["reason"], found.route.decision.reason if found.route else ""):
            assert shown["model"] == found.model.id
            assert shown["model"] == min(shown["candidates"], key=lambda row: float(row["score"]))["model"]
        world.health.measures.of("pond", 0.0).answered(
            Answer(chance.random() < 0.9, "creative", 900, True, chance.random(), 5.0, 100), world.clock.monotonic()
        )


@pytest.mark.parametrize("fields", [{"model": "shop/one"}, {"model": None, "task_type": "creative"}])
async def test_a_customer_sees_the_price_and_an_admin_what_it_costs_the_house_too(fields: dict[str, Any]) -> None:
    world = World(
        shop(
            price=PriceSheet(input=0, output=0, request=9_000_000_000),
            of_target={"cost": PriceSheet(input=0, output=0, request=4_000_000_000)},
        )
    )
    incoming = Incoming(dialect="openai-chat", body=request(**fields), secret=KEY, headers=[], mount=None)
    _, shown = await explained(world.parts, incoming)
    (row,) = shown["candidates"]
    assert (row["cost_usd"], row["score"], "provider_cost_usd" in row) == ("0.009", None, False)
    world.keys.callers[KEY] = caller(admin=True)
    _, shown = await explained(world.parts, incoming)
    (row,) = shown["candidates"]
    assert (row["cost_usd"], row["provider_cost_usd"]) == ("0.009", "0.004")
    assert float(row["score"]) > 0.004


async def test_the_most_it_can_cost_is_what_is_held() -> None:
    world = World(shop())
    incoming = Incoming(dialect="openai-chat", body=request(max_tokens=700), secret=KEY, headers=[], mount=None)
    _, shown = await explained(world.parts, incoming)
    front = world.snapshot.catalogue.storefronts["shop"]
    found = admit(world.parts, world.snapshot, caller(), front, DIALECTS["openai-chat"], incoming)
    assert shown["worst_case_usd"] == usd(found.hold.amount) != "0"
    assert shown["simulated"] is found.simulated is False


async def test_of_a_panel_all_who_may_not_fuse_say_why_and_the_attempts_are_those_that_would_be_made() -> None:
    more = [seat("gus", id=f"shop/more{place}", tier=Tier.CORE) for place in range(4)]
    more += [seat("ann", id="shop/vectors", kind="embedding")]
    world = World(house(more=more, of_storefront={"fallback": True}))
    incoming = Incoming(dialect="openai-chat", body=asks(), secret=KEY, headers=[], mount=None)
    _, shown = await explained(world.parts, incoming)
    causes = {row["model"]: row["dropped_because"] for row in shown["candidates"]}
    assert causes["shop/ann"] == "role" and causes["shop/vectors"].startswith("kind, role")
    kept = {name for name, why in causes.items() if why is None}
    assert "shop/more0" in kept  # of a lower tier, and it may fuse
    tried = [row["model"] for row in shown["attempts"]]
    assert len(tried) == MOST_ATTEMPTS and set(tried) <= kept
