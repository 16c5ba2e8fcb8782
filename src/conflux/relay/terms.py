"""What is the same for every request of one kind of caller for one name: the model, its targets, its prices.

Law: made once per snapshot and standing, never changed by a request. All it learns is which shapes of requests no rule
objects to: their rules look at nothing else, so their answer cannot change while the snapshot lasts.
"""

import msgspec

from conflux.billing.amounts import Ceiling, Unpriced, ceiling
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope
from conflux.policy import MOMENT_RULES, SHAPE_RULES
from conflux.policy.case import Case
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.relay.standing import Standing, verdict_of

_MOST = 1_000
_MOST_SHAPES = 100


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    model: Model  # the one that serves
    instead: bool  # of the one that was named, by a rule for coding agents
    live: tuple[LiveTarget, ...]
    simulated: bool
    free: bool  # posts nothing
    ceiling: Ceiling | None  # None: no price
    default_output: int | None
    temperature: float | None
    passed: set[object]  # shapes of requests


def terms_of(standing: Standing, snapshot: Snapshot, caller: Caller, storefront: Storefront, name: str) -> Terms | None:
    """What a name means to this caller; None: nothing."""
    found: Terms | None = standing.terms.get(name)
    if found is None:
        verdict = verdict_of(standing, snapshot, caller, storefront, name)
        if verdict.served is None:
            return None
        if len(standing.terms) >= _MOST:
            standing.terms.clear()
        found = standing.terms[name] = _make(snapshot, caller, storefront, verdict.served, instead=verdict.instead)
    return found


def _make(snapshot: Snapshot, caller: Caller, storefront: Storefront, model: Model, *, instead: bool) -> Terms:
    live = snapshot.targets(model, test=caller.test)
    simulated = bool(live) and live[0].live.provider.simulated
    return Terms(
        model=model,
        instead=instead,
        live=live,
        simulated=simulated,
        free=caller.test or simulated,
        ceiling=priced(model),
        default_output=storefront.default_max_output if _takes(model, "max_tokens") else None,
        temperature=storefront.default_temperature if _takes(model, "temperature") else None,
        passed=set(),
    )


def priced(model: Model) -> Ceiling | None:
    try:
        return ceiling(model.price)
    except Unpriced:
        return None


def _takes(model: Model, parameter: str) -> bool:
    """An empty list means not published, which gates nothing."""
    return not model.supported_parameters or parameter in model.supported_parameters


def check_rules(terms: Terms, caller: Caller, storefront: Storefront, envelope: Envelope, now: float) -> None:
    """Raises what the first rule that objects says."""
    for moment in MOMENT_RULES:
        moment(caller, now)
    shape = (envelope.kind, envelope.needs, envelope.effort, envelope.dimensions)
    if shape in terms.passed:
        return
    case = Case(caller, storefront, terms.model, envelope, now, free=terms.free)
    for rule in SHAPE_RULES:
        rule(case)
    if len(terms.passed) < _MOST_SHAPES:  # clients choose what some of it says
        terms.passed.add(shape)
