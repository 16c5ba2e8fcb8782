"""Models that an admin, or the catalogue, has switched off.

Law: off is off, for everybody: admins too.
"""

from conflux.neutral.records import Caller, Model


def by_status(caller: Caller | None, model: Model) -> str | None:
    return None if model.enabled else "it is disabled"
