"""May this caller see and run this model? One answer for both.

Law: `decide` makes the list and admits the run alike, so they can never disagree. What may not be run is unknown, and
what runs instead of another was permitted by the same layers.
"""

from collections.abc import Callable
from typing import NamedTuple

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Caller, Model
from conflux.policy import LAYERS, PUBLIC_LAYERS
from conflux.policy.overrides import override_for
from conflux.policy.patterns import names_of

_SHOWN = 200

Resolve = Callable[[str], Model | None]


class Verdict(NamedTuple):
    """`served` is what runs: the model itself, another in its place, or nothing, and then `reason` says why."""

    served: Model | None
    reason: str | None = None
    instead: bool = False  # of what was asked for


def decide(caller: Caller | None, client: str | None, model: Model, resolve: Resolve) -> Verdict:
    """`client`: the coding agent that calls; `resolve`: a name of this storefront's catalogue. No caller is the
    public."""
    if caller is None:
        for layer in PUBLIC_LAYERS:
            if (reason := layer(None, model)) is not None:
                return Verdict(None, reason)
        return Verdict(model)
    rule = override_for(caller, client, names_of(model))
    if rule is not None and rule.action == "deny":
        return Verdict(None, f"a rule for {client} denies it")
    if rule is not None and rule.to is not None:
        return _instead(caller, client, rule.to, resolve)
    reason = _narrowed(caller, model)
    return Verdict(None, reason) if reason is not None else Verdict(model)


def decide_name(caller: Caller, client: str | None, name: str, resolve: Resolve) -> Verdict:
    """For a name that no model of the catalogue has: only a substitution can serve it."""
    rule = override_for(caller, client, (name,)) if len(name) <= _SHOWN else None
    if rule is None or rule.to is None:
        return Verdict(None, "there is no such model")
    return _instead(caller, client, rule.to, resolve)


def _instead(caller: Caller, client: str | None, name: str, resolve: Resolve) -> Verdict:
    other = resolve(name)
    if other is None:
        return Verdict(None, f"a rule for {client} has it served by {name}, which is no model here")
    reason = _narrowed(caller, other)
    if reason is not None:
        return Verdict(None, f"a rule for {client} has it served by {name}, which may not run: {reason}")
    return Verdict(other, instead=True)


def _narrowed(caller: Caller, model: Model) -> str | None:
    for layer in LAYERS:
        if (reason := layer(caller, model)) is not None:
            return reason
    return None


def unknown_model(name: str) -> GatewayError:
    shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
    return GatewayError(Kind.MODEL_NOT_FOUND, f"Unknown model: {shown}", param="model")
