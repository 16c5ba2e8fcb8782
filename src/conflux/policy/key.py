"""The key itself: revoked or expired keys, and those of a closed workspace or user, open nothing.

Law: checked at every use, because a key in memory may have expired since it was read.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Caller
from conflux.policy.case import Case


def check_key(case: Case) -> None:
    check_caller(case.caller, case.now)


def check_caller(caller: Caller, now: float) -> None:
    if caller.revoked:
        raise GatewayError(Kind.UNAUTHENTICATED, "this API key was revoked; ask for a new one")
    if caller.expires_at is not None and now >= caller.expires_at:
        raise GatewayError(Kind.UNAUTHENTICATED, "this API key has expired; ask for a new one")
    if caller.closed is not None:
        raise GatewayError(Kind.FORBIDDEN, f"the {caller.closed} of this API key is switched off; ask an admin")
