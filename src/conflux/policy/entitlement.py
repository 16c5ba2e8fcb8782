"""Models that run on a connected account need an admin's word.

Law: no entitlement, no model. The word is given by the policy of the workspace, the user or the key; the public has
none.
"""

from conflux.neutral.records import Caller, Model
from conflux.policy.patterns import matching, names_of


def by_entitlement(caller: Caller | None, model: Model) -> str | None:
    if not model.account:
        return None
    if caller is not None and any(matching(one.terms.entitle, names_of(model)) for one in caller.policies):
        return None
    return "it runs on a connected account, and no policy entitles this caller to it"
