"""What a client is told of its panel."""

from conflux.neutral.money import usd
from conflux.relay.explain import explained
from conflux.relay.flux_view import panel_event, planned
from conflux.relay.parts import Incoming
from tests.relay.answers import refused, streamed, whole
from tests.relay.panels import SOURCES, asked, asks, house
from tests.relay.test_flux_account import seats
from tests.relay.world import KEY, World


def test_the_plan_says_who_sits_and_the_most_it_costs_and_adds_up() -> None:
    admitted = seats()
    plan = planned(admitted)
    assert [one["model"] for one in plan["sources"]] == list(SOURCES)
    assert (plan["fuser"]["model"], plan["quorum"], plan["deadline_ms"]) == ("shop/fay", 2, 60_000)
    assert plan["worst_case_usd"] == usd(admitted.hold.amount)
    shares = [one.hold.amount for one in admitted.flux.sources] + [admitted.flux.fuser.amount]
    assert sum(shares) == admitted.hold.amount
    assert [one["worst_case_usd"] for one in (*plan["sources"], plan["fuser"])] == [usd(one) for one in shares]
    assert panel_event(admitted) == {"event": "panel", **plan}


async def test_drafts_are_shown_as_far_as_is_asked() -> None:
    texts = ["x" * 1000, "short", "y" * 1000]
    for expose, longest in (("none", None), ("summary", 280), ("full", 1000)):
        world = World(house(), *map(whole, texts), whole("answer"))
        flux = await asked(world, asks(flux={"expose": expose}))
        if longest is None:
            assert "exposed" not in flux and b"xxx" not in world.client.body
            continue
        shown = flux["exposed"]["drafts"]
        assert [one["label"] for one in shown] == ["A", "B", "C"]
        assert {one["model"] for one in shown} == set(SOURCES)
        assert sorted(len(one["text"]) for one in shown) == [5, longest, longest]
        quoted = world.upstream.bodies[-1]["messages"][-1]["content"]
        first = shown[0]["text"][:4]
        assert quoted.split("<draft A ")[1].split(">\n")[1].startswith(first), "the letters are those the fuser saw"


async def test_a_storefront_whose_answers_say_no_cost_says_none_here() -> None:
    world = World(house(of_storefront={"usage_cost": False}), *(whole("d") for _ in range(3)), whole("answer"))
    flux = await asked(world, asks())
    assert "cost_usd" not in flux and all("cost_usd" not in call for call in flux["calls"])


async def test_a_head_that_goes_out_early_says_what_is_known_then() -> None:
    world = World(house(), whole("a"), refused(500), whole("c"), streamed("answer"))
    await asked(world, asks(True, flux={"progress": "chunk"}))
    assert world.client.text[b"x-shop-flux"] == b"sources=3; quorum=2"


async def test_a_dry_run_shows_the_panel_that_would_run_and_sends_nothing() -> None:
    world = World(house())
    incoming = Incoming(dialect="openai-chat", body=asks(flux={"max_cost_usd": 1}), secret=KEY, mount=None)
    _, shown = await explained(world.parts, incoming)
    assert (shown["model"], world.journal) == ("shop/fay", [])
    assert [one["model"] for one in shown["flux"]["sources"]] == list(SOURCES)
    assert (shown["flux"]["fuser"]["model"], shown["flux"]["max_cost_usd"]) == ("shop/fay", "1")
