"""A key opens its own storefront; an admin's opens them all.

Law: what belongs to another storefront does not exist here.
"""

from conflux.neutral.records import Caller, Model


def by_storefront(caller: Caller, model: Model) -> str | None:
    if caller.storefront != model.storefront and not caller.admin:
        return f"the key belongs to the storefront {caller.storefront}"
    return None
