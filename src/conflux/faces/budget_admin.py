"""Budgets, as an admin sets them.

Law: money is a decimal text in USD here and nano-USD behind; what was set counts when the call returns.
"""

from collections.abc import Callable
from typing import Any, Protocol

from conflux.faces.asked import OwnerAsked, asked, owner_of
from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError
from conflux.neutral.moments import moment_or_none
from conflux.neutral.money import MoneyError, nano_from_usd, usd
from conflux.neutral.people import BudgetRow, Owner
from conflux.relay.snapshot import Snapshot


class Budgets(Protocol):
    async def rows(self) -> list[BudgetRow]: ...
    async def put(self, owner: Owner, window: str, cap: int | None) -> None: ...
    async def put_storefront(self, name: str, window: str, cap: int | None) -> None: ...


class Wish(OwnerAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    storefront: str | None = None
    window: str = "total"
    usd: str | None  # None: no cap


class BudgetAdmin:
    def __init__(self, budgets: Budgets, snapshot: Callable[[], Snapshot]) -> None:
        self._budgets = budgets
        self._snapshot = snapshot

    def table(self) -> dict[str, Work]:
        return {"budgets.list": self.list, "budgets.set": self.set}

    async def list(self, params: dict[str, Any]) -> Any:
        return {"budgets": [_shown(row) for row in await self._budgets.rows()]}

    async def set(self, params: dict[str, Any]) -> Any:
        wish = asked("budgets set", params, Wish)
        storefront = self._storefront(wish)
        owner = owner_of("budgets set", wish) if storefront is None else None
        try:
            cap = nano_from_usd(wish.usd) if wish.usd is not None else None
        except MoneyError as error:
            raise ConfigError([f"budgets set: --usd: {error}"]) from None
        done = {"window": wish.window, "cap_usd": wish.usd}
        if owner is None:
            await self._budgets.put_storefront(str(storefront), wish.window, cap)
            return {"kind": "storefront", "owner": storefront, **done}
        await self._budgets.put(owner, wish.window, cap)
        return {"kind": owner.kind, "owner": str(owner), **done}

    def _storefront(self, wish: Wish) -> str | None:
        name = wish.storefront
        if name is None:
            return None
        if any(one is not None for one in (wish.workspace, wish.user, wish.key)):
            raise ConfigError(["budgets set: name a storefront, or a workspace, user or key, not both"])
        known = self._snapshot().catalogue.storefronts
        if name not in known:
            raise ConfigError([f"budgets set: there is no storefront {name[:80]!r}; there are {', '.join(known)}"])
        return name


def _shown(row: BudgetRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "owner": row.owner,
        "window": row.window,
        "cap_usd": usd(row.cap),
        "spent_usd": usd(row.spent),
        "held_usd": usd(row.held),
        "left_usd": usd(max(row.cap - row.spent - row.held, 0)),
        "resets_at": moment_or_none(row.resets),
    }
