"""May this caller see and run this model? One answer for both.

Law: `permitted` decides the list and the run alike, so they can never disagree. What may not be run is unknown.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Caller, Model
from conflux.policy.case import Case

_SHOWN = 200


def permitted(caller: Caller | None, model: Model) -> bool:
    """True where the model is enabled and nothing of the caller's narrows it away. No caller is the public."""
    if not model.enabled:
        return False
    if model.account:
        return False  # needs an entitlement, which no caller has yet
    if caller is None:
        return True
    if caller.storefront != model.storefront and not caller.admin:
        return False
    if caller.agent and not model.agent:
        return False
    return caller.models is None or model.id in caller.models


def unknown_model(name: str) -> GatewayError:
    shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
    return GatewayError(Kind.MODEL_NOT_FOUND, f"Unknown model: {shown}", param="model")


def check_permitted(case: Case) -> None:
    if not permitted(case.caller, case.model):
        raise unknown_model(case.envelope.model or case.model.id)
