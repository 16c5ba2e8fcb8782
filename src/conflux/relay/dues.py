"""Who pays instead of money, or beside it: a plan, credits.

Law: pure. A plan pays for an agent's key, or nobody does; what its subscription lacks is said before anything is sent.
"""

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.plans import Plan
from conflux.neutral.records import Caller


def plan_of(catalogue: Catalogue, caller: Caller) -> Plan:
    """Raises GatewayError where an agent's key has none."""
    if caller.subscription is None:
        text = "a subscription plan pays for the requests of this agent key, and it has none: an admin gives it one"
        raise GatewayError(Kind.PAYMENT_REQUIRED, text, code="no_plan")
    plan = catalogue.plans.get(caller.subscription.plan)
    if plan is None or plan.storefront != caller.storefront:
        text = (
            f"the plan {caller.subscription.plan!r} that pays for this key is not offered any more: an admin changes it"
        )
        raise GatewayError(Kind.PAYMENT_REQUIRED, text, code="no_plan")
    return plan
