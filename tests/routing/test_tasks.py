"""Document 2's task types: the table, and which model each is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability, Model, Tier
from conflux.routing.tasks import TASKS, UNNAMED, expected_quality, lacks, refused, task_named
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
        fits = TIERS.index(other) >= TIERS.index(tier)
        assert lacks(task, at(other, *everything), tools=False) == (None if fits else "tier")
    assert lacks(task, at(None, *everything), tools=False) == "tier"
    assert lacks(task, at(Tier.ULTRA, *everything, kind="image"), tools=False) == "kind"
    for one in needs:
        assert lacks(task, at(tier, one), tools=False) is None
    without = tuple(set(Capability) - needs)
    assert lacks(task, at(Tier.ULTRA, *without), tools=False) == ("capability" if needs else None)


def test_the_web_can_be_browsed_with_the_clients_own_tools() -> None:
    browse = task_named("web_browse")
    handy, idle = at(Tier.PRO, Capability.TOOLS), at(Tier.PRO)
    assert lacks(browse, handy, tools=False) == "capability"
    assert lacks(browse, handy, tools=True) is None
    assert lacks(browse, idle, tools=True) == "capability"
    assert lacks(task_named("image_gen"), handy, tools=True) == "capability"


@pytest.mark.parametrize("task", [*TASKS.values(), UNNAMED], ids=lambda task: task.name)
def test_a_better_tier_promises_more_and_what_the_catalogue_states_counts_instead(task: Any) -> None:
    core, pro, ultra = (expected_quality(task, at(tier)) for tier in TIERS)
    assert 0 < core < pro < ultra < 1
    assert expected_quality(task, at(None)) == core
    assert expected_quality(task, at(Tier.CORE, quality=0.97, quality_source="us")) == 0.97
    assert task.worth > 0 and task.length > 0


@pytest.mark.parametrize("name", [name for name, (_, needs) in DOCUMENTED.items() if needs])
def test_where_none_serves_it_says_what_was_missing(name: str) -> None:
    error = refused(task_named(name), "tier 3")
    assert (error.kind, error.param) == (Kind.INVALID, "task_type")
    assert "tier 3" in error.message and "there is none" in refused(task_named(name), "").message
    for need in DOCUMENTED[name][1]:
        assert need.value in error.message
