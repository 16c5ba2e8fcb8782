"""Floor 1: admit or refuse. One small file per rule; the order in which they are asked is written here.

Law: pure functions. A layer narrows what a caller may see and run, and gives the reason where it does (permitted.py
asks them all). A rule then judges one request: it returns nothing, or raises the GatewayError that says why not.
"""

from collections.abc import Callable

from conflux.neutral.records import Caller, Model
from conflux.policy.agents import by_agent_list
from conflux.policy.capability import check_capability
from conflux.policy.case import Case
from conflux.policy.dimensions import check_dimensions
from conflux.policy.effort import check_effort
from conflux.policy.entitlement import by_entitlement
from conflux.policy.key import check_caller, check_key
from conflux.policy.key_models import by_key_models
from conflux.policy.layers import by_policies
from conflux.policy.priced import check_priced
from conflux.policy.status import by_status
from conflux.policy.stored_files import check_stored_files
from conflux.policy.storefront import by_storefront

PublicLayer = Callable[[Caller | None, Model], str | None]
Layer = Callable[[Caller, Model], str | None]
Rule = Callable[[Case], None]

PUBLIC_LAYERS: tuple[PublicLayer, ...] = (by_status, by_entitlement)

# Overrides for coding agents stand before these: they replace one model by another, and these then judge that one.
LAYERS: tuple[Layer, ...] = (
    by_storefront,
    by_status,
    by_entitlement,
    by_agent_list,
    by_policies,
    by_key_models,
)

# Asked of every request: what they judge may change from one moment to the next.
MOMENT_RULES: tuple[Callable[[Caller, float], None], ...] = (check_caller,)

# These judge the model and, of the request, its kind, needs, effort and dimensions, nothing else: what passed them
# once for one kind of caller passes again, and is not asked again (relay/terms.py).
SHAPE_RULES: tuple[Rule, ...] = (
    check_effort,
    check_capability,
    check_dimensions,
    check_stored_files,
    check_priced,
)

RULES: tuple[Rule, ...] = (check_key, *SHAPE_RULES)
