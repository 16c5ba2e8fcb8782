"""Switching models on and off.

Law: an admin's word stands over the catalogue's, in every storefront that has the model unless one is named; it counts
when the call returns, for the list and the run alike.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from conflux.faces.asked import asked
from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.relay.snapshot import Snapshot


class Statuses(Protocol):
    async def set_status(self, storefront: str, model: str, *, enabled: bool) -> None: ...


class ModelAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    storefront: str | None = None


class ModelAdmin:
    def __init__(
        self, statuses: Statuses, snapshot: Callable[[], Snapshot], refresh: Callable[[], Awaitable[None]]
    ) -> None:
        self._statuses = statuses
        self._snapshot = snapshot
        self._refresh = refresh

    def table(self) -> dict[str, Work]:
        return {"models.enable": self.enable, "models.disable": self.disable}

    async def enable(self, params: dict[str, Any]) -> Any:
        return await self._switch("models enable", params, enabled=True)

    async def disable(self, params: dict[str, Any]) -> Any:
        return await self._switch("models disable", params, enabled=False)

    async def _switch(self, operation: str, params: dict[str, Any], *, enabled: bool) -> Any:
        wish = asked(operation, params, ModelAsked)
        catalogue = self._snapshot().catalogue
        if wish.storefront is not None and wish.storefront not in catalogue.storefronts:
            there = ", ".join(catalogue.storefronts)
            raise ConfigError([f"{operation}: there is no storefront {wish.storefront!r}; there are {there}"])
        found = [
            model
            for name in catalogue.storefronts
            if wish.storefront in (None, name) and (model := catalogue.resolve(name, wish.id)) is not None
        ]
        if not found:
            raise NoSuch([f"{operation}: there is no model {wish.id[:200]!r}: `conflux models list --all` shows them"])
        for model in found:
            await self._statuses.set_status(model.storefront, model.id, enabled=enabled)
        await self._refresh()
        status = "enabled" if enabled else "disabled"
        return {"models": [{"storefront": one.storefront, "id": one.id, "status": status} for one in found]}
