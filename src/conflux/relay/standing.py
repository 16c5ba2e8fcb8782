"""What one kind of caller may see and run at one storefront, compiled once per snapshot.

Law: the list and the run read the same Standing, so they cannot disagree, and a request pays a dictionary look-up for
all layers together. Callers who are narrowed alike share one; a new snapshot starts with none.
"""

from typing import Any

import msgspec

from conflux.catalogue.listings.row import Row
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Model, Storefront
from conflux.policy.clients import recognise
from conflux.policy.permitted import Verdict, decide, decide_name
from conflux.relay.snapshot import Snapshot
from conflux.routing.flux_plan import may_draft, may_fuse

_MOST = 2_000
_MOST_NAMES = 100
PUBLIC = "public"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: tuple[str, str, str | None]  # equal fingerprints of one snapshot see the same list
    verdicts: dict[str, Verdict]  # of every id in the storefront's catalogue
    rows: tuple[Row, ...]  # the list
    own: tuple[Model, ...]  # what may run as itself, now: a task's choice
    names: dict[str, Verdict]  # names that only a rule for coding agents knows, as they are asked for
    terms: dict[str, Any]  # terms.py's, by the name asked for: made when first asked for


def standing_of(snapshot: Snapshot, caller: Caller | None, storefront: Storefront, headers: Headers) -> Standing:
    """`headers`: the request's, from which coding agents are known where some rule asks."""
    client = recognise(headers) if caller is not None and caller.overridden else None
    return standing_for(snapshot, caller, storefront, client)


def standing_for(snapshot: Snapshot, caller: Caller | None, storefront: Storefront, client: str | None) -> Standing:
    name = (storefront.id, caller.narrowing if caller is not None else PUBLIC, client)
    found: Standing | None = snapshot.standings.get(name)
    if found is None:
        if len(snapshot.standings) >= _MOST:
            snapshot.standings.clear()
        found = snapshot.standings[name] = _compile(snapshot, caller, storefront, name)
    return found


def _compile(
    snapshot: Snapshot, caller: Caller | None, storefront: Storefront, name: tuple[str, str, str | None]
) -> Standing:
    models = snapshot.catalogue.models_of(storefront.id)
    verdicts = {model.id: decide(caller, name[2], model, snapshot.resolver(storefront)) for model in models}
    test = caller is not None and caller.test
    own = [one for one in models if verdicts[one.id].served is one and snapshot.targets(one, test=test)]
    seats = any(may_draft(one) for one in own) and any(may_fuse(one) for one in own)
    rows = []
    for model in models:
        served = verdicts[model.id].served
        if served is None:
            continue
        live = bool(snapshot.targets(served, test=test)) if served.flux is None else seats
        # The public list is the catalogue; a key's list is what would answer.
        if live or served.account or caller is None:
            rows.append(Row(model=model, status="account_needed" if served.account and not live else "enabled"))
    return Standing(fingerprint=name, verdicts=verdicts, rows=tuple(rows), own=tuple(own), names={}, terms={})


def verdict_of(
    standing: Standing, snapshot: Snapshot, caller: Caller | None, storefront: Storefront, name: str
) -> Verdict:
    """What a name means to this caller: an id, an alias, or a name that only a rule for coding agents knows."""
    model = snapshot.catalogue.resolve(storefront.id, name)
    if model is not None:
        return standing.verdicts[model.id]
    if caller is None:
        return Verdict(None)
    found = standing.names.get(name)
    if found is None:
        found = decide_name(caller, standing.fingerprint[2], name, snapshot.resolver(storefront))
        # What is refused is not kept: there is no end of such names.
        if found.served is not None and len(standing.names) < _MOST_NAMES:
            standing.names[name] = found
    return found
