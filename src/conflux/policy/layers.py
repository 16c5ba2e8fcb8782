"""What the policies of workspace, user and key leave of the catalogue.

Law: every layer must let a model pass, and denying wins over allowing. So no key can have more than its user, and no
user more than the workspace.
"""

from conflux.neutral.records import Caller, Model
from conflux.policy.patterns import matching, names_of


def by_policies(caller: Caller, model: Model) -> str | None:
    for policy in caller.policies:
        terms = policy.terms
        if terms.deny and (pattern := matching(terms.deny, names_of(model))) is not None:
            return f"the {policy.kind}'s policy denies {pattern}"
        if terms.allow is not None and matching(terms.allow, names_of(model)) is None:
            return f"the {policy.kind}'s policy allows other models only"
    return None
