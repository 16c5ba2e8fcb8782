"""Workspaces, users and policies as an admin asks for them and is shown them.

Law: plain records, no secrets. An owner is named by people (workspace, user, key), never by a row's number alone.
"""

import msgspec

from conflux.neutral.policies import Terms

ROLES = ("owner", "admin", "member")
DEFAULT = "default"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose policy: a key's (by its id), a user's in a workspace, or a workspace's."""

    workspace: str = DEFAULT
    user: str | None = None
    key: str | None = None

    @property
    def kind(self) -> str:
        return "key" if self.key is not None else "user" if self.user is not None else "workspace"

    def __str__(self) -> str:
        if self.key is not None:
            return self.key
        return self.workspace if self.user is None else f"{self.workspace}/{self.user}"


class WorkspaceRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    enabled: bool
    users: int
    keys: int
    created: int


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    workspace: str
    role: str
    enabled: bool
    keys: int
    created: int


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: str  # workspace | user | key
    owner: str
    enabled: bool
    terms: Terms
    changed: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A model an admin has switched on or off, whatever the catalogue says."""

    storefront: str
    model: str
    enabled: bool
    changed: int


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A cap and what of it is used in its window of now, in nano-USD."""

    kind: str
    owner: str
    window: str
    cap: int
    spent: int
    held: int
    resets: int | None = None  # unix milliseconds; None: a total
