"""Document 2's task types: the table, and which model each is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability, Model, Tier
from conflux.routing.tasks import TASKS, cheapest, serves, task_named
from tests.policy.samples import model

# As in the document, with what the specification says each needs: any one of these.
DOCUMENTED: dict[str, tuple[Tier, set[Capability]]] = {
    "simple_chat": (Tier.CORE, set()),
    "summarize": (Tier.CORE, set()),
    "extract": (Tier.CORE, set()),
    "translate": (Tier.CORE, set()),
    "code_gen": (Tier.PRO, set()),
    "tool_orchestrate": (Tier.PRO, {Capability.TOOLS}),
    "image_gen": (Tier.PRO, {Capability.IMAGE_OUTPUT, Capability.VISION}),
    "file_ops": (Tier.PRO, {Capability.TOOLS}),
    "web_browse": (Tier.PRO, {Capability.WEB_SEARCH}),
    "creative": (Tier.PRO, set()),
    "deep_reasoning": (Tier.ULTRA, set()),
    "agentic_complex": (Tier.ULTRA, {Capability.TOOLS}),
}
TIERS = [Tier.CORE, Tier.PRO, Tier.ULTRA]
SEED = json.loads((Path(__file__).parents[1] / "seeds" / "2-chat.json").read_text(encoding="utf-8"))


def at(tier: Tier | None, *able: Capability, id: str = "shop/one", price: int = 1, **fields: Any) -> Model:
    return model(id=id, tier=tier, capabilities=frozenset(able), price=PriceSheet(input=price, output=price), **fields)


def test_the_table_is_the_documents() -> None:
    assert {task.name: (task.tier, set(task.needs)) for task in TASKS.values()} == DOCUMENTED
    assert list(TASKS) == list(DOCUMENTED)  # the order in which the document names them is the order in which we do
    assert [name for name, task in TASKS.items() if task.own_tools] == ["web_browse"]
    assert {name: task.tier.value.title() for name, task in TASKS.items()} == SEED["task_types"]


def test_an_unknown_one_is_refused_with_the_list() -> None:
    with pytest.raises(GatewayError) as refused:
        task_named("make_coffee")
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "task_type")
    assert "'make_coffee'" in refused.value.message
    assert ", ".join(DOCUMENTED) in refused.value.message
    with pytest.raises(GatewayError) as refused:
        task_named("x" * 10_000)
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_model_of_the_tier_or_above_that_has_one_of_the_needs_serves(name: str) -> None:
    task, (tier, needs) = task_named(name), DOCUMENTED[name]
    everything = tuple(Capability)
    for other in TIERS:
        assert serves(task, at(other, *everything), tools=False) is (TIERS.index(other) >= TIERS.index(tier))
    assert not serves(task, at(None, *everything), tools=False)
    assert not serves(task, at(Tier.ULTRA, *everything, kind="image"), tools=False)
    for one in needs:
        assert serves(task, at(tier, one), tools=False)
    without = tuple(set(Capability) - needs)
    assert serves(task, at(Tier.ULTRA, *without), tools=False) is (not needs)


def test_the_web_can_be_browsed_with_the_clients_own_tools() -> None:
    browse = task_named("web_browse")
    handy, idle = at(Tier.PRO, Capability.TOOLS), at(Tier.PRO)
    assert not serves(browse, handy, tools=False)
    assert serves(browse, handy, tools=True)
    assert not serves(browse, idle, tools=True)
    assert not serves(task_named("image_gen"), handy, tools=True)


def test_the_cheapest_by_input_and_output_together_wins_and_a_tie_goes_by_id() -> None:
    models = [at(Tier.CORE, id="c", price=3), at(Tier.ULTRA, id="b", price=2), at(Tier.PRO, id="a", price=2)]
    assert cheapest(task_named("simple_chat"), models).id == "a"
    assert cheapest(task_named("simple_chat"), models[:2]).id == "b"
    assert cheapest(task_named("simple_chat"), models[:1]).id == "c"


def test_a_model_without_a_price_is_not_the_cheapest() -> None:
    models = [model(id="a", tier=Tier.CORE, price=PriceSheet()), at(Tier.CORE, id="b", price=10**9)]
    assert cheapest(task_named("simple_chat"), models).id == "b"


@pytest.mark.parametrize("name", [name for name, (_, needs) in DOCUMENTED.items() if needs])
def test_where_none_serves_it_says_what_was_missing(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        cheapest(task_named(name), [at(Tier.ULTRA)])
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "task_type")
    for need in DOCUMENTED[name][1]:
        assert need.value in refused.value.message
