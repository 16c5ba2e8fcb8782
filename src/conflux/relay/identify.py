"""Who calls, and through which storefront.

Law: one place reads a key. A mount fixes the storefront and takes only its own keys; at the root the key's
storefront answers; an admin's key opens them all.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Caller, Storefront
from conflux.policy.key import check_caller
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot

ROOT = "conflux"

MISSING_KEY = "no API key was sent: use Authorization: Bearer KEY (or x-api-key, or api-key)"
BAD_KEY = "this API key is not valid"


def root_storefront(snapshot: Snapshot) -> Storefront:
    """Whose style answers where no key and no mount has said otherwise."""
    return snapshot.catalogue.root


async def identify(
    parts: Parts, snapshot: Snapshot, secret: str | None, mount: Storefront | None
) -> tuple[Caller, Storefront]:
    if secret is None:
        raise GatewayError(Kind.UNAUTHENTICATED, MISSING_KEY)
    caller = parts.keys.known(secret)
    if caller is False:
        caller = await parts.keys.find(secret)
    if caller is None or isinstance(caller, bool):
        raise GatewayError(Kind.UNAUTHENTICATED, BAD_KEY)
    check_caller(caller, parts.clock.time())
    if mount is not None:
        if caller.storefront != mount.id and not caller.admin:
            raise GatewayError(Kind.UNAUTHENTICATED, BAD_KEY)
        return caller, mount
    storefront = snapshot.storefront(caller.storefront)
    if storefront is None:
        if not caller.admin:
            raise GatewayError(Kind.UNAUTHENTICATED, BAD_KEY)
        storefront = root_storefront(snapshot)
    return caller, storefront
