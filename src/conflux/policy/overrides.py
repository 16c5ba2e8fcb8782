"""Rules for coding agents: the first that means the model decides.

Law: found here, carried out in permitted.py. What is served instead of something must itself be permitted.
"""

from collections.abc import Iterable

from conflux.neutral.policies import ANY_CLIENT, Override
from conflux.neutral.records import Caller
from conflux.policy.patterns import matching


def override_for(caller: Caller, client: str | None, names: Iterable[str]) -> Override | None:
    if client is None or not caller.overridden:
        return None
    known = tuple(names)
    for policy in caller.policies:
        for rule in policy.terms.overrides:
            if rule.client in (client, ANY_CLIENT) and matching(rule.models, known) is not None:
                return rule
    return None
