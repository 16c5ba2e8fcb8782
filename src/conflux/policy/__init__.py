"""Floor 1: admit or refuse. One small file per rule; the order a request meets them in is this tuple.

Law: a rule is a pure function of a Case. It returns nothing, or raises the GatewayError that says why not.
"""

from collections.abc import Callable

from conflux.policy.capability import check_capability
from conflux.policy.case import Case
from conflux.policy.effort import check_effort
from conflux.policy.key import check_key
from conflux.policy.permitted import check_permitted
from conflux.policy.priced import check_priced
from conflux.policy.stored_files import check_stored_files

Rule = Callable[[Case], None]

RULES: tuple[Rule, ...] = (check_key, check_permitted, check_effort, check_capability, check_stored_files, check_priced)
