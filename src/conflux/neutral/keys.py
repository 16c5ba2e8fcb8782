"""A key to be made, and a key as it may be shown.

Law: no secret is in either.
"""

import msgspec


class KeyOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the key store is told to make."""

    prefix: str
    storefront: str
    name: str
    workspace: str = "default"
    user: str = "default"
    admin: bool = False
    test: bool = False
    agent: bool = False
    models: tuple[str, ...] | None = None
    budget: int | None = None  # nano-USD, for the key's lifetime
    expires_at: int | None = None  # unix seconds
    plan: str | None = None  # what its user is subscribed to, where nobody pays for it yet


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the key store shows."""

    id: str
    name: str
    prefix: str
    last4: str
    storefront: str
    workspace: str
    user: str
    admin: bool
    test: bool
    agent: bool
    models: list[str] | None
    budget: int | None
    spent: int
    created: int
    expires_at: int | None
    revoked: bool
