"""A model without a price is not a free model.

Law: fails closed. Only requests that post nothing (simulated, or with a test key) may run an unpriced one.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.policy.case import Case


def check_priced(case: Case) -> None:
    price = case.model.price
    # An embedding writes nothing, so nobody prices its output.
    priced = price.known or (case.model.kind == "embedding" and price.input is not None)
    if not priced and not case.free:
        raise GatewayError(
            Kind.UNAVAILABLE,
            f"{case.model.id} has no price yet, so it cannot be run: an admin must set one",
            param="model",
            code="model_not_priced",
        )
