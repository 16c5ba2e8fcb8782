"""Keys of a subscription open the list for agents only.

Law: such a key pays by plan, so it never reaches a model that is not part of the plan.
"""

from conflux.neutral.records import Caller, Model


def by_agent_list(caller: Caller, model: Model) -> str | None:
    return "it is not on the list for agents" if caller.agent and not model.agent else None
