"""What providers say against what the catalogue says.

Law: pure. Which of its models a provider no longer lists is a fact, and may change which target is tried first;
contexts and prices are proposals, and change nothing until an admin accepts them. A list that shrank too much is an
alarm, not a change. A target's facts are the least of what is promised: a context must fit wherever a request goes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import Change
from conflux.catalogue.provider_lists import Found
from conflux.neutral.money import PriceSheet, format_scaled, parse_scaled
from conflux.neutral.records import Model, Target

_FEW = 3  # of so few one cannot tell a change from a mistake
_PER_ITEM = frozenset({"image", "search", "request"})

Facts = Mapping[str, Mapping[str, Found]]  # provider: its models


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What was last seen of a source: how the last try went, and the last good list."""

    provider: str
    kind: str = "list"  # the provider's own list, or a file of facts, which says nothing of who is there
    tried: int = 0  # Unix seconds, as the one below
    good: int | None = None
    outcome: str = "ok"  # ok | failed | alarm
    detail: str = ""
    models: dict[str, Found] = {}
    missing: dict[str, int] = {}  # targets that were listed once and are not now, and since when


def wanted(catalogue: Catalogue, provider: str) -> frozenset[str]:
    """The models that the pools want of a provider."""
    return frozenset(
        target.model for pool in catalogue.pools.values() for target in pool.targets if target.provider == provider
    )


def suspicious(before: Mapping[str, Found], now: Mapping[str, Found], targets: Iterable[str]) -> str | None:
    """Why a list should not be believed."""
    if not now:
        return "the list is empty"
    if len(before) >= _FEW and len(now) * 2 < len(before):
        return f"the list has {len(now)} models where {len(before)} were"
    listed = [name for name in targets if name in before]
    gone = [name for name in listed if name not in now]
    if len(gone) >= _FEW and len(gone) * 2 > len(listed):
        return f"{len(gone)} of our {len(listed)} models are gone from the list at once"
    return None


def seen(before: Sighting, now: Mapping[str, Found], targets: Iterable[str], at: int) -> Sighting:
    """The sighting after a good list."""
    missing = {
        name: before.missing.get(name, at)
        for name in targets
        if name not in now and (name in before.models or name in before.missing)
    }
    return Sighting(
        provider=before.provider, kind=before.kind, tried=at, good=at, models=dict(now), missing=missing
    )  # fmt: skip


def missing_targets(catalogue: Catalogue, sightings: Iterable[Sighting]) -> dict[str, int]:
    """Target key: since when its provider does not list it."""
    gone = {(one.provider, name): since for one in sightings for name, since in one.missing.items()}
    return {
        target.key: gone[target.provider, target.model]
        for pool in catalogue.pools.values()
        for target in pool.targets
        if (target.provider, target.model) in gone
    }


def facts(sightings: Iterable[Sighting]) -> Facts:
    """What is known of each model; what a provider says itself outranks a file."""
    known: dict[str, dict[str, Found]] = {}
    for one in sorted(sightings, key=lambda one: one.kind == "list"):
        below = known.setdefault(one.provider, {})
        for name, found in one.models.items():
            old = below.get(name)
            below[name] = found if old is None else _over(old, found)
    return known


def _over(below: Found, above: Found) -> Found:
    return Found(
        context=above.context or below.context,
        max_output=above.max_output or below.max_output,
        price=above.price or below.price,
        lacks=above.lacks or below.lacks,
    )


def compare(catalogue: Catalogue, known: Facts) -> list[Change]:
    """Everything the catalogue would say otherwise if it believed its providers. The catalogue as written: without the
    storefronts' margins."""
    changes: list[Change] = []
    for pool in catalogue.pools.values():
        for target in pool.targets:
            found = _known(known, target)
            if found is not None and found.price:
                changes += _cost_change(pool.id, target, found)
    for model in catalogue.models.values():
        pool_ = catalogue.pools.get(model.pool)
        stated = [(one, found) for one in (pool_.targets if pool_ else ()) if (found := _known(known, one)) is not None]
        changes += _context_change(model, stated)
        changes += _price_change(model, stated)
    return sorted(changes, key=lambda one: (one.table, one.key, one.field))


def remarks(catalogue: Catalogue, known: Facts) -> list[str]:
    """Capabilities that a model advertises and no target of its pool has, by what their providers say."""
    lines = []
    for model in catalogue.models.values():
        pool = catalogue.pools.get(model.pool)
        stated = [_known(known, target) for target in (pool.targets if pool else ())]
        lacks = [frozenset(found.lacks) if found is not None else frozenset[str]() for found in stated]
        nobody = model.capabilities & frozenset.intersection(*lacks) if lacks else ()
        if nobody:
            names = ", ".join(sorted(nobody))
            lines.append(f"{model.storefront} {model.id}: advertises {names}, which no provider of it lists")
    return sorted(lines)


def _known(known: Facts, target: Target) -> Found | None:
    return known.get(target.provider, {}).get(target.model)


def _context_change(model: Model, stated: list[tuple[Target, Found]]) -> list[Change]:
    context, source = _least(stated, "context")
    output, output_source = _least(stated, "max_output")
    room = context or model.context
    if output is not None and room is not None:
        output = min(output, room)
    if context is not None and context != model.context:
        fields: dict[str, Any] = {"context": context}
        old: dict[str, Any] = {"context": model.context}
        if model.max_output is not None and model.max_output > context:  # an answer must fit into it
            fields["max_output"], old["max_output"] = output or context, model.max_output
            return [_of_model(model, "context", fields, old, source)]
        changes = [_of_model(model, "context", fields, old, source)]
    else:
        changes = []
    # A model without a cap of its own has its provider's anyway.
    if output is not None and model.max_output is not None and output != model.max_output:
        fields, old = {"max_output": output}, {"max_output": model.max_output}
        changes.append(_of_model(model, "max_output", fields, old, output_source))
    return changes


def _least(stated: list[tuple[Target, Found]], field: str) -> tuple[int | None, str]:
    said = [(getattr(found, field), target.provider) for target, found in stated if getattr(found, field) is not None]
    return min(said) if said else (None, "")


def _price_change(model: Model, stated: list[tuple[Target, Found]]) -> list[Change]:
    """By the first target that has a price: it is the one that the model is sold for."""
    first = next(((target, found) for target, found in stated if found.price), None)
    if first is None or model.price.rate.currency != "USD":
        return []
    target, found = first
    new, old = _differing(found.price, model.price)
    return [_of_model(model, "price", {"price": new}, {"price": old}, target.provider)] if new else []


def _cost_change(pool: str, target: Target, found: Found) -> list[Change]:
    sheet = target.cost or PriceSheet()
    if sheet.rate.currency != "USD":
        return []
    new, old = _differing(found.price, sheet)
    if not new:
        return []
    key = (pool, target.provider, target.model, target.variant)
    return [Change(table="target", key=key, field="cost", fields={"cost": new}, old={"cost": old},
                   source=target.provider)]  # fmt: skip


def _differing(stated: Mapping[str, str], sheet: PriceSheet) -> tuple[dict[str, str], dict[str, str | None]]:
    """The prices that are stated otherwise, and what stands there now."""
    new: dict[str, str] = {}
    old: dict[str, str | None] = {}
    for bucket, text in stated.items():
        digits = 12 if bucket in _PER_ITEM else 6
        now = getattr(sheet, bucket)
        if parse_scaled(text, digits) != now:
            new[bucket] = text
            old[bucket] = format_scaled(now, digits) if now is not None else None
    return new, old


def _of_model(model: Model, field: str, fields: dict[str, Any], old: dict[str, Any], source: str) -> Change:
    return Change(table="model", key=(model.storefront, model.id), field=field, fields=fields, old=old, source=source)
