"""Who is signed in, and what admins did, as records.

Law: plain records, no secrets: a session's secret exists in its browser alone.
"""

from typing import Any

import msgspec

SESSION_PREFIX = "cfs_"
WEB = "web"  # the prefix of keys that only sessions act as: nobody holds their secret


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    user: str
    workspace: str
    by_key: bool
    created: int
    expires_at: int
    agent: str


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did, or was refused."""

    actor: str
    act: str
    target: str = ""
    workspace: str | None = None  # None: the house's
    detail: dict[str, Any] = {}
    outcome: str = "done"  # done | refused | failed


class ActRow(Act, frozen=True, kw_only=True):
    id: int
    at: int  # unix milliseconds


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's credential as it lies in the store."""

    id: str
    number: int
    provider: str
    label: str
    sealed: bytes
    last4: str
    created: int
    created_by: str

    def __repr__(self) -> str:
        return f"CredentialRow({self.id})"


class ConversationRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    created: int  # unix milliseconds, as `changed`
    changed: int
    messages: int


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    n: int
    parent: int | None
    created: int
    body: dict[str, Any]
