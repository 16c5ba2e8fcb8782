"""A key made for some models runs no other.

Law: the list names ids, whatever name a request uses.
"""

from conflux.neutral.records import Caller, Model


def by_key_models(caller: Caller, model: Model) -> str | None:
    if caller.models is None or model.id in caller.models:
        return None
    return "the key was made for other models"
