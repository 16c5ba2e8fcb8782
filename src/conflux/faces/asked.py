"""What an operation is asked for, as a record.

Law: an unknown or misspelt parameter is a mistake, told with the operation's name; nothing is guessed.
"""

from typing import Any, TypeVar

import msgspec

from conflux.neutral.errors import ConfigError
from conflux.neutral.people import DEFAULT, Owner

T = TypeVar("T")


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class OwnerAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    workspace: str | None = None
    user: str | None = None
    key: str | None = None


def asked(operation: str, params: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise ConfigError([f"{operation}: {error}"]) from None


def owner_of(operation: str, wish: OwnerAsked) -> Owner:
    """A key, a user (of the workspace that is named, else of the default one), or a workspace."""
    if wish.key is not None and (wish.user is not None or wish.workspace is not None):
        raise ConfigError([f"{operation}: name a key, or a workspace and perhaps one of its users, not both"])
    if wish.key is None and wish.user is None and wish.workspace is None:
        raise ConfigError([f"{operation}: say whose: --workspace NAME, --user NAME or --key ID"])
    return Owner(workspace=wish.workspace if wish.workspace is not None else DEFAULT, user=wish.user, key=wish.key)
