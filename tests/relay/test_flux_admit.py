"""Who drafts, who fuses: judged before anything is held or sent, and chosen where nobody says."""

from typing import Any

import pytest
from msgspec.structs import replace

from conflux.neutral.flux import FluxTerms
from conflux.neutral.money import PriceSheet, usd
from conflux.neutral.records import Capability, FluxRole, Model, Tier
from conflux.neutral.request import BY_TOOLS
from conflux.relay.explain import explained
from conflux.relay.parts import Incoming
from tests.policy.samples import caller
from tests.relay.answers import INPUT, request, whole
from tests.relay.panels import ROLES, SOURCES, asked, asks, house, seat
from tests.relay.world import KEY, World

OPEN = FluxTerms()  # nobody is named


def flux(**fields: Any) -> bytes:
    return asks(flux=fields)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"sources": []}, "flux.sources", "is empty"),
    ({"sources": ["shop/ann"] * 9}, "flux.sources", "9 models are too many"),
    ({"sources": ["shop/nobody"]}, "flux.sources[0]", "Unknown model: shop/nobody"),
    ({"sources": ["shop/ann", "shop/fay"]}, "flux.sources[1]", "shop/fay has the role FUSE: it cannot draft"),
    ({"sources": ["shop/flux"]}, "flux.sources[0]", "no Flux inside Flux"),
    ({"sources": ["shop/none"]}, "flux.sources[0]", "shop/none has no role in Flux"),
    ({"sources": ["shop/small"]}, "flux.sources[0]", "tokens of input"),
    ({"sources": ["shop/dry"]}, "flux.sources[0]", "no live target"),
    ({"sources": ["shop/free"]}, "flux.sources[0]", "price"),
    ({"fuser": "shop/ann"}, "flux.fuser", "shop/ann has the role SOURCE: it cannot fuse"),
    ({"fuser": "shop/flux"}, "flux.fuser", "no Flux inside Flux"),
    ({"fuser": "shop/nobody"}, "flux.fuser", "Unknown model"),
    ({"sources": ["shop/ann"], "quorum": 2}, "flux.quorum", "2 drafts cannot come of 1 source"),
    ({"deadline_ms": 1}, "flux.deadline_ms", "1 is not a number of milliseconds"),
    ({"grace_ms": 9000, "deadline_ms": 1000}, "flux.grace_ms", "longer than deadline_ms"),
    ({"max_cost_usd": 0.000001}, "flux.max_cost_usd", "can cost up to"),
    ({"fusor": "shop/fay"}, "flux.fusor", "there is no such field"),
]
MORE = [
    seat("ann", id="shop/none", role=None),
    seat("bob", id="shop/small", safe_context=1300),
    seat("bob", id="shop/dry", pool="dry"),
    seat("bob", id="shop/free", price=PriceSheet()),
]


@pytest.mark.parametrize(("said", "param", "message"), BAD, ids=[str(one[0]) for one in BAD])
async def test_what_is_wrong_is_a_400_that_names_it_and_nothing_is_held_or_sent(
    said: dict[str, Any], param: str, message: str
) -> None:
    for stream in (False, True):
        world = World(house(more=MORE))
        await asked(world, asks(stream, flux=said))
        assert world.journal == ["reply 400"]
        error = world.client.json["error"]
        assert error["param"] == param
        assert message in error["message"] and param in error["message"]


async def test_a_conversation_too_long_for_a_named_seat_is_told_as_of_one_model() -> None:
    """By its code, and in the words, that agents shorten a conversation for."""
    small = [seat("bob", id="shop/small", safe_context=1300)]
    world = World(house(more=small))
    await asked(world, flux(sources=["shop/small"]))
    error = world.client.json["error"]
    assert (world.client.status, error["code"]) == (400, "context_length_exceeded")
    told = World(house(more=small))
    incoming = Incoming(
        dialect="anthropic-messages", body=asks(max_tokens=9, flux={"sources": ["shop/small"]}), secret=KEY, mount=None
    )
    await told.gateway.generate(incoming, told.client)
    assert told.client.status == 400
    assert told.client.json["error"]["message"].startswith("prompt is too long")


async def test_who_is_left_out_of_a_recipe_is_told_but_not_whom_the_key_may_not_have() -> None:
    recipe = FluxTerms(sources=("shop/ann", "shop/dry", "shop/cat", "shop/small"), fuser="shop/fay")
    body = asks(messages=[{"role": "user", "content": "long " * 300}])
    for models, left in ((None, ["shop/dry", "shop/small"]), (("shop/flux", "shop/ann", "shop/fay"), [])):
        world = World(house(recipe, more=MORE))
        world.keys.callers[KEY] = caller(models=models)
        _, shown = await explained(world.parts, Incoming(dialect="openai-chat", body=body, secret=KEY, mount=None))
        assert [one["model"] for one in shown["flux"]["left_out"]] == left
    assert "left_out" in shown["flux"] and [one["model"] for one in shown["flux"]["sources"]] == ["shop/ann"]


async def test_flux_and_a_task_exclude_each_other_and_so_do_two_fusers() -> None:
    for body, said in (
        (asks(model=None, task_type="creative", flux={}), "flux or task_type"),
        (asks(task_type="creative"), "model or task_type"),
        (asks(model="shop/bob", flux={"fuser": "shop/fay"}), "the model named is the fuser"),
        (asks(model="shop/ann", flux={}), "cannot fuse"),
    ):
        world = World(house())
        await asked(world, body)
        assert world.journal == ["reply 400"]
        assert said in world.client.json["error"]["message"]


async def test_a_model_beside_flux_is_the_fuser() -> None:
    world = World(house(), *(whole("d") for _ in range(3)))
    found = await asked(world, asks(model="shop/bob", flux={"sources": [*SOURCES]}))
    assert found["calls"][-1]["model"] == "shop/bob"
    assert world.client.json["model"] == "shop/bob"


async def test_without_a_model_it_is_the_houses_panel_by_name() -> None:
    world = World(house(), *(whole("d") for _ in range(3)))
    await asked(world, asks(model=None, flux={}))
    assert world.client.json["model"] == "shop/flux"
    assert world.ledger.reserved[0].requested_model == "shop/flux"


async def test_who_may_not_run_the_panel_has_no_flux_and_no_seat_beyond_the_key() -> None:
    for models, body, status in (
        ({"shop/bob"}, asks(), 404),
        ({"shop/bob"}, asks(model=None, flux={}), 400),
        ({"shop/bob"}, asks(model="shop/bob", flux={}), 400),
        ({"shop/flux", "shop/bob"}, flux(sources=["shop/cat"]), 400),
        ({"shop/flux", "shop/bob"}, flux(fuser="shop/fay"), 400),
        ({"shop/flux", "shop/ann"}, asks(), 400),
    ):
        world = World(house(OPEN))
        world.keys.callers[KEY] = caller(models=frozenset(models))
        await asked(world, body)
        assert world.journal == [f"reply {status}"], body


async def test_who_may_run_part_of_a_recipe_gets_that_part() -> None:
    world = World(house(), whole("a"), whole("b"))
    world.keys.callers[KEY] = caller(models=frozenset({"shop/flux", "shop/ann", "shop/bob"}))
    found = await asked(world, asks())
    assert [call["model"] for call in found["calls"]] == ["shop/ann", "shop/bob", "shop/bob"]


async def test_who_is_not_named_is_chosen_the_cheapest_of_equals() -> None:
    world = World(house(OPEN), *(whole("d") for _ in range(3)))
    found = await asked(world, asks())
    assert [call["model"] for call in found["calls"]] == ["shop/ann", "shop/bob", "shop/cat", "shop/bob"]


async def test_nobody_is_chosen_who_cannot_serve_the_request() -> None:
    blind = frozenset(Capability) - {Capability.VISION}
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]}]
    world = World(house(OPEN, of={name: {"capabilities": blind} for name in ("ann", "bob", "fay")}), whole("d"))
    found = await asked(world, asks(messages=image))
    assert {call["model"] for call in found["calls"]} == {"shop/cat"}
    none = World(house(OPEN, of={name: {"capabilities": blind} for name in ROLES}))
    await asked(none, asks(messages=image))
    assert none.journal == ["reply 400"]
    assert none.client.json["error"]["param"] == "flux.fuser"


async def test_what_only_the_fuser_needs_does_not_keep_a_source_out() -> None:
    plain = frozenset({Capability.TEXT})
    world = World(house(of={name: {"capabilities": plain} for name in ("ann", "bob", "cat")}), *[whole("d")] * 3)
    found = await asked(world, asks(response_format={"type": "json_object"}, logprobs=True))
    assert found["drafts"] == 3


async def test_a_conversation_too_long_for_the_fuser_is_told_with_the_numbers() -> None:
    world = World(house(of={"fay": {"safe_context": 3000}}))
    await asked(world, asks(messages=[{"role": "user", "content": "x" * 9000}]))
    assert world.client.json["error"]["code"] == "context_length_exceeded"
    assert world.journal == ["reply 400"]


async def test_a_better_tier_is_chosen_to_fuse() -> None:
    world = World(house(OPEN, of={"gus": {"tier": Tier.ULTRA, "price": PriceSheet(input=5000, output=5000)}}))
    found = await asked(world, asks())
    assert found["calls"][-1]["model"] == "shop/gus"


async def test_a_cap_that_holds_the_panel_lets_it_run() -> None:
    world = World(house())
    await asked(world, flux(max_cost_usd=10))
    assert world.client.status == 200
    world = World(house())
    await asked(world, asks(max_tokens=1100, flux={"max_cost_usd": "10.0000000"}))  # as many bytes as below
    (order,) = world.ledger.reserved
    exact = World(house())
    await asked(exact, asks(max_tokens=1100, flux={"max_cost_usd": usd(order.amount)}))
    assert exact.client.status == 200
    below = World(house())
    await asked(below, asks(max_tokens=1100, flux={"max_cost_usd": usd(order.amount - 1)}))
    assert below.journal == ["reply 400"]


async def test_a_house_without_a_panel_has_no_flux() -> None:
    world = World()
    await asked(world, request(flux={}))
    assert world.journal == ["reply 400"]
    assert "may not run Flux" in world.client.json["error"]["message"]


async def test_no_plan_pays_for_a_panel() -> None:
    recipe = replace(FluxTerms(sources=SOURCES, fuser="shop/fay"), recipe=True)
    crowd = Model(
        storefront="shop", id="shop/crowd", name="Crowd", pool="", role=FluxRole.FLUX, flux=recipe, agent=True
    )
    world = World(house(more=[crowd]))
    world.keys.callers[KEY] = caller(agent=True)
    await asked(world, asks())
    assert world.journal == ["reply 404"], "the house's own is not on the list for agents"
    for stream in (False, True):
        world.client = type(world.client)(world)
        await asked(world, request(stream, model="shop/crowd"))
        assert world.journal[-1] == "reply 400" and world.ledger.reserved == []
        error = world.client.json["error"]
        assert (error["param"], error["code"]) == ("flux", "flux_not_in_plan") and "plan" in error["message"]


async def test_only_the_fuser_is_held_for_what_the_providers_tools_read() -> None:
    held: list[int] = []
    said: tuple[dict[str, str] | None, ...] = (None, {"search_context_size": "low"})
    for options in said:
        world = World(house(), whole("a"), whole("b"), whole("c"), whole("fused"))
        await asked(world, asks(max_tokens=100, flux={"sources": [*SOURCES], "fuser": "shop/fay"},
                                web_search_options=options))  # fmt: skip
        held.append(world.ledger.reserved[0].amount)
    fay = [*ROLES].index("fay") + 1
    assert BY_TOOLS * INPUT * fay <= held[1] - held[0] < (BY_TOOLS + 1000) * INPUT * fay
