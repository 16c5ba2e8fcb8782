"""Changes to the catalogue that were made while it runs: proposed by a refresh, or imported; accepted by an admin.

Law: a change is never altered. Accepted ones lie over all files, in the order they came into force; a change of a
price is a version of its own, named after the change. One whose row is gone changes nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from conflux.catalogue.checks import Key, Raw

_WHOLE = {"pool", "flux"}  # a model without either is none

OPEN, ACCEPTED, REJECTED, OBSOLETE = "open", "accepted", "rejected", "obsolete"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    id: int = 0
    table: str  # model | pool | target
    key: tuple[str, ...]  # of a target: pool, provider, model, variant
    field: str  # what it is about: context | max_output | price | cost | row
    fields: dict[str, Any]  # as a row of a file writes them
    old: dict[str, Any] = {}
    source: str = ""
    state: str = OPEN
    seen: int = 0  # Unix seconds, as the others
    decided: int | None = None
    decided_by: str | None = None
    effective_at: int | None = None

    @property
    def about(self) -> tuple[str, tuple[str, ...], str]:
        return self.table, self.key, self.field


def in_force(changes: Iterable[Change], now: float) -> list[Change]:
    """Accepted and begun, in the order in which they came into force."""
    begun = [
        one for one in changes if one.state == ACCEPTED and one.effective_at is not None and one.effective_at <= now
    ]
    return sorted(begun, key=lambda one: (one.effective_at or 0, one.id))


def place_of(change: Change) -> str:
    which = f"change {change.id} ({change.source})" if change.id else change.source
    return f"{which}: {change.table} {'/'.join(change.key)}"


def stands_alone(change: Change) -> bool:
    """A row of its own, rather than what is otherwise of one in a file. What is not decided yet is held to be whole, so
    that whoever checks it is told what is missing."""
    return change.field == "row" and (not change.id or change.table != "model" or not _WHOLE.isdisjoint(change.fields))


def row_of(change: Change) -> dict[str, Any]:
    """The row of a model's or pool's change, with its key and, where a price changes, its version."""
    fields = dict(change.fields)
    if change.table == "model":
        fields["storefront"], fields["id"] = change.key
    else:
        (fields["id"],) = change.key
    if isinstance(fields.get("price"), dict):
        fields["price"] = _versioned(fields["price"], change)
    return fields


def lay_cost(pools: dict[Key, Raw], change: Change) -> None:
    """Put a change of a target's cost into its pool's row."""
    pool, *target = change.key
    raw = pools.get((pool,))
    rows = raw.fields.get("target") if raw is not None else None
    if raw is None or not isinstance(rows, list):
        return
    changed = [
        {**row, "cost": _versioned({**_cost(row), **change.fields["cost"]}, change)}
        if isinstance(row, dict) and [row.get("provider"), row.get("model"), row.get("variant", "cloud")] == target
        else row
        for row in rows
    ]
    pools[(pool,)] = Raw(raw.place, {**raw.fields, "target": changed}, raw.owned)


def _cost(row: dict[str, Any]) -> dict[str, Any]:
    cost = row.get("cost")
    return cost if isinstance(cost, dict) else {}


def _versioned(price: dict[str, Any], change: Change) -> dict[str, Any]:
    """The day too: that of the price below is not this one's."""
    since = datetime.fromtimestamp(change.effective_at, UTC).date().isoformat() if change.effective_at else ""
    return {**price, "version": f"change-{change.id}", "effective_at": since}
