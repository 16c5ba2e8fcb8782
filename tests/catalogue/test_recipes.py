"""Panels as rows of the catalogue: what is wrong with one is a line with its place."""

from typing import Any

import pytest

from conflux.catalogue.loader import load
from conflux.catalogue.recipes import recipe_of
from conflux.neutral.flux import FluxTerms
from conflux.neutral.records import FluxRole
from tests.catalogue.samples import Tables, mistakes, tables


def house(flux: Any, **fields: Any) -> Tables:
    def seat(name: str, **more: Any) -> dict[str, Any]:
        return {"storefront": "shop", "id": name, "pool": "pond", "price": {"input": "1", "output": "1"}, **more}

    panel = {"storefront": "shop", "id": "panel", **({"flux": flux} if flux is not None else {}), **fields}
    found = tables()
    roles = {"ann": "SOURCE", "bob": "BOTH", "fay": "FUSE"}
    found["model"] = [panel, *(seat(name, role=role) for name, role in roles.items()), seat("zoe")]
    return found


def problems(flux: Any, **fields: Any) -> list[str]:
    return [one.partition("[[model]] #1 ")[2] for one in mistakes(house(flux, **fields))]


def test_a_panel_is_a_model_without_a_pool_that_can_neither_draft_nor_fuse() -> None:
    catalogue = load([], house({"sources": ["ann", "bob"], "fuser": "fay", "max_cost_usd": "0.5"}))
    panel = catalogue.models["shop", "panel"]
    assert (panel.role, panel.pool, panel.kind) == (FluxRole.FLUX, "", "chat")
    assert panel.flux == FluxTerms(sources=("ann", "bob"), fuser="fay", max_cost=500_000_000, recipe=True)
    assert load([], house({})).models["shop", "panel"].flux == FluxTerms(recipe=True)


@pytest.mark.parametrize(
    ("flux", "fields", "said"),
    [
        (None, {}, ["shop/panel: pool: missing"]),
        (None, {"pool": "pond", "role": "FLUX"}, ["shop/panel: role: FLUX is the role of a row with a flux table"]),
        ({}, {"pool": "pond"}, ["shop/panel: pool: a row with a flux table has none"]),
        ({}, {"role": "BOTH"}, ["shop/panel: role: a row with a flux table can neither draft nor fuse"]),
        ({"sources": ["nobody"]}, {}, ["shop/panel: flux.sources: there is no [[model]] 'nobody'"]),
        ({"sources": ["fay"]}, {}, ["shop/panel: flux.sources: fay's role is FUSE: it must be SOURCE or BOTH"]),
        ({"sources": ["zoe"]}, {}, ["shop/panel: flux.sources: zoe's role is not given"]),
        ({"sources": ["panel"]}, {}, ["shop/panel: flux.sources: panel's role is FLUX"]),
        ({"fuser": "ann"}, {}, ["shop/panel: flux.fuser: ann's role is SOURCE: it must be FUSE or BOTH"]),
        ({"sources": ["ann"], "quorum": 2}, {}, ["shop/panel: flux.quorum: 2 drafts cannot come of 1 source"]),
        ({"sources": []}, {}, ["shop/panel: flux.sources: is empty"]),
        ({"grace_ms": 9000, "deadline_ms": 5000}, {}, ["shop/panel: flux.grace_ms: 9000 is longer"]),
        (
            {"quorum": 0, "deadline_ms": 1, "expose": "x", "sauce": 1},
            {},
            [
                "shop/panel: flux.quorum: 0 is not",
                "shop/panel: flux.deadline_ms: 1 is not",
                "shop/panel: flux.expose: 'x' is not one of",
                "shop/panel: flux.sauce: there is no such field",
            ],
        ),
        (3, {}, ["shop/panel: flux: expected", "shop/panel: pool: missing"]),
    ],
    ids=str,
)
def test_a_mistake_is_told_with_its_place(flux: Any, fields: dict[str, Any], said: list[str]) -> None:
    found = problems(flux, **fields)
    assert len(found) == len(said), found
    for line, start in zip(found, said, strict=True):
        assert line.startswith(start), line


def test_nothing_is_told_of_a_model_without_one() -> None:
    told: list[str] = []
    assert recipe_of(None, lambda field, what: told.append(field)) is None
    assert told == []
