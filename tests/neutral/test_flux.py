"""Whatever is wrong inside `flux` is a 400 that names it."""

from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.flux import FIELDS, FluxTerms, check_quorum, read_terms

RECIPE = FluxTerms(sources=("a", "b"), fuser="f", deadline_ms=5000, recipe=True)


def refusal(said: Any, recipe: FluxTerms = RECIPE) -> GatewayError:
    with pytest.raises(GatewayError) as found:
        read_terms(said, recipe)
    assert found.value.kind is Kind.INVALID
    assert found.value.message.startswith(f"{found.value.param}: ")
    return found.value


@pytest.mark.parametrize(
    ("said", "param"),
    [
        (True, "flux"),
        ([], "flux"),
        ("conflux/flux", "flux"),
        ({"source": ["a"]}, "flux.source"),
        ({"sources": []}, "flux.sources"),
        ({"sources": ["a"] * 9}, "flux.sources"),
        ({"sources": "a"}, "flux.sources"),
        ({"sources": ["a", 1]}, "flux.sources"),
        ({"sources": ["a", ""]}, "flux.sources"),
        ({"fuser": ["f"]}, "flux.fuser"),
        ({"fuser": ""}, "flux.fuser"),
        ({"quorum": 0}, "flux.quorum"),
        ({"quorum": 9}, "flux.quorum"),
        ({"quorum": True}, "flux.quorum"),
        ({"quorum": 1.0}, "flux.quorum"),
        ({"grace_ms": -1}, "flux.grace_ms"),
        ({"grace_ms": 6000}, "flux.grace_ms"),
        ({"deadline_ms": 0}, "flux.deadline_ms"),
        ({"deadline_ms": 600_001}, "flux.deadline_ms"),
        ({"deadline_ms": "1"}, "flux.deadline_ms"),
        ({"max_cost_usd": 0}, "flux.max_cost_usd"),
        ({"max_cost_usd": -1}, "flux.max_cost_usd"),
        ({"max_cost_usd": "much"}, "flux.max_cost_usd"),
        ({"max_cost_usd": "NaN"}, "flux.max_cost_usd"),
        ({"max_cost_usd": True}, "flux.max_cost_usd"),
        ({"max_cost_usd": 1e300}, "flux.max_cost_usd"),
        ({"max_cost_usd": 10**4000}, "flux.max_cost_usd"),
        *(
            ({"max_cost_usd": said}, "flux.max_cost_usd")
            for said in ("1e600000", "1e999999", "1e-999999", "1e2", "1_0", " 0.5 ", "٣", "+1", "1" * 99, "")
        ),
        ({"analysis": "yes"}, "flux.analysis"),
        ({"expose": "all"}, "flux.expose"),
        ({"expose": 1}, "flux.expose"),
        ({"progress": "loud"}, "flux.progress"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(said: Any, param: str) -> None:
    assert refusal(said).param == param


def test_what_is_left_out_is_the_recipes() -> None:
    assert read_terms(None, RECIPE) is RECIPE
    assert read_terms({}, RECIPE) == RECIPE
    found = read_terms({"fuser": "g", "quorum": 2, "expose": "full", "grace_ms": None}, RECIPE)
    assert (found.sources, found.fuser, found.quorum, found.expose) == (("a", "b"), "g", 2, "full")
    assert found.recipe, "its sources are the catalogue's still"
    assert not read_terms({"sources": ["c"]}, RECIPE).recipe


def test_a_recipes_quorum_yields_to_sources_of_ones_own() -> None:
    deep = FluxTerms(sources=("a", "b", "c"), quorum=3, recipe=True)
    assert check_quorum(read_terms({"sources": ["c", "d"]}, deep), 2) == 2
    assert check_quorum(read_terms({"sources": ["a", "b", "c", "d"]}, deep), 4) == 3
    with pytest.raises(GatewayError, match="3 drafts cannot come of 2 sources"):
        check_quorum(read_terms({"sources": ["c", "d"], "quorum": 3}, deep), 2)


@pytest.mark.parametrize(
    ("said", "nano"),
    [(0.2, 200_000_000), ("0.2", 200_000_000), (1, 10**9), (1e-9, 1), ("0.0000000019", 1), (0.1 + 0.2, 300_000_000)],
)
def test_a_cap_is_read_by_its_digits_and_never_widened(said: Any, nano: int) -> None:
    assert read_terms({"max_cost_usd": said}, RECIPE).max_cost == nano


def test_a_quorum_fits_its_sources() -> None:
    assert [check_quorum(FluxTerms(), many) for many in (1, 2, 8)] == [1, 2, 2]
    assert check_quorum(FluxTerms(quorum=3), 3) == 3
    with pytest.raises(GatewayError, match="3 drafts cannot come of 2 sources"):
        check_quorum(FluxTerms(quorum=3), 2)
    assert check_quorum(FluxTerms(quorum=3, recipe=True), 2) == 2, "of a recipe somebody may be missing"


def test_every_field_is_one_of_the_terms() -> None:
    assert {name.removesuffix("_usd") for name in FIELDS} == set(FluxTerms.__struct_fields__) - {"recipe"}
