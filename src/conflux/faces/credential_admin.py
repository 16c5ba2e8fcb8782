"""Providers' credentials, as an admin enters them.

Law: what was entered is never shown again, to nobody. It counts when the call returns: the provider is live from then
on. One that the catalogue does not take is not kept.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from conflux.faces.asked import asked
from conflux.faces.operations import Work
from conflux.neutral.accounts import CredentialRow
from conflux.neutral.errors import ConfigError
from conflux.neutral.records import Provider

_LONGEST = 20_000  # a service account's key file


class Shelf(Protocol):
    async def add(
        self, provider: str, label: str, secret: str, by: str, seal: Callable[[str, bytes], bytes]
    ) -> CredentialRow: ...
    async def rows(self) -> list[CredentialRow]: ...
    async def remove(self, name: str) -> None: ...


class NewCredential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: str
    value: str
    label: str = ""
    by: str = "unknown"


class Removed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str


class CredentialAdmin:
    def __init__(
        self,
        shelf: Shelf,
        seal: Callable[[str, bytes], bytes],
        providers: Callable[[], dict[str, Provider]],
        take_over: Callable[[], Awaitable[None]],
    ) -> None:
        self._shelf = shelf
        self._seal = seal
        self._providers = providers
        self._take_over = take_over

    def table(self) -> dict[str, Work]:
        return {"credentials.list": self.list, "credentials.add": self.add, "credentials.remove": self.remove}

    async def list(self, params: dict[str, Any]) -> Any:
        return {"credentials": [_shown(row) for row in await self._shelf.rows()]}

    async def add(self, params: dict[str, Any]) -> Any:
        wish = asked("credentials add", params, NewCredential)
        value = wish.value.strip()
        problems = []
        provider = self._providers().get(wish.provider)
        if provider is None:
            problems.append(f"credentials add: there is no provider {wish.provider[:100]!r}")
        elif provider.auth in ("none", "account"):
            problems.append(f"credentials add: the provider {provider.id} takes no credential of this kind")
        if not value or len(value) > _LONGEST:
            problems.append(f"credentials add: the value has 1 to {_LONGEST} characters")
        if len(wish.label) > 100 or not wish.label.isprintable():
            problems.append("credentials add: the label has up to 100 printable characters")
        if problems:
            raise ConfigError(problems)
        row = await self._shelf.add(wish.provider, wish.label, value, wish.by, self._seal)
        try:
            await self._take_over()
        except ConfigError:
            await self._shelf.remove(row.id)
            raise
        return _shown(row)

    async def remove(self, params: dict[str, Any]) -> Any:
        name = asked("credentials remove", params, Removed).id
        await self._shelf.remove(name)
        await self._take_over()
        return {"id": name, "removed": True}


def _shown(row: CredentialRow) -> dict[str, Any]:
    return {"id": row.id, "provider": row.provider, "label": row.label, "last4": row.last4, "created": row.created,
            "created_by": row.created_by}  # fmt: skip
