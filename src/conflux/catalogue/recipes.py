"""Panels as rows of the catalogue: a model that is made of others.

Law: pure. A recipe is written in the words of a request's `flux`, and judged by the same reading; whom it names is
there, in the same storefront, and may sit where it is named.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from conflux.catalogue.checks import Raw
from conflux.neutral.errors import GatewayError
from conflux.neutral.flux import FluxTerms, check_quorum, read_terms
from conflux.neutral.records import FluxRole, Model

# (field, what is wrong with it and what to do): called for every mistake
Wrong = Callable[[str, str], None]

_DRAFTS = (FluxRole.SOURCE, FluxRole.BOTH)
_FUSES = (FluxRole.FUSE, FluxRole.BOTH)


def check_seat(role: FluxRole | None, pool: str | None, said: Mapping[str, Any] | None, wrong: Wrong) -> None:
    """A model has a pool, a panel has a recipe: one of the two."""
    if said is None and pool is None:
        wrong("pool", "missing")
    if said is None and role is FluxRole.FLUX:
        wrong("role", "FLUX is the role of a row with a flux table: write one, {} lets the gateway choose the panel")
    if said is not None and pool is not None:
        wrong("pool", "a row with a flux table has none: its panel's models have theirs")
    if said is not None and role not in (None, FluxRole.FLUX):
        wrong("role", "a row with a flux table can neither draft nor fuse: leave role out")


def recipe_of(said: Mapping[str, Any] | None, wrong: Wrong) -> FluxTerms | None:
    """Each field is read by itself, so that all mistakes are told; then all of them together."""
    if said is None:
        return None
    good = {}
    for name, value in said.items():
        try:
            read_terms({name: value}, FluxTerms(deadline_ms=1 << 40))
            good[name] = value
        except GatewayError as error:
            _tell(error, wrong)
    terms = FluxTerms()
    try:
        terms = read_terms(good, terms)
        if terms.sources:
            check_quorum(terms, len(terms.sources))
    except GatewayError as error:
        _tell(error, wrong)
    return msgspec.structs.replace(terms, recipe=True)


def _tell(error: GatewayError, wrong: Wrong) -> None:
    place = error.param or "flux"
    wrong(place, error.message.removeprefix(f"{place}: "))


def check_recipes(models: Sequence[tuple[Raw, Model]], problems: list[str]) -> None:
    known = {(model.storefront, model.id): model for _, model in models}
    for raw, model in models:
        if model.flux is None:
            continue
        named = [("sources", name, _DRAFTS) for name in model.flux.sources]
        if model.flux.fuser is not None:
            named.append(("fuser", model.flux.fuser, _FUSES))
        for field, name, roles in named:
            seat = known.get((model.storefront, name))
            if seat is None:
                problems.append(f"{raw.place}: flux.{field}: there is no [[model]] {name!r} in this storefront")
            elif seat.role not in roles:
                problems.append(
                    f"{raw.place}: flux.{field}: {name}'s role is {_said(seat)}: it must be "
                    f"{' or '.join(role.value for role in roles)}"
                )


def _said(model: Model) -> str:
    return "not given" if model.role is None else model.role.value
