"""Budgets, as an admin sets them.

Law: money is a decimal text in USD here and nano-USD behind; what was set counts when the call returns.
"""

from typing import Any, Protocol

from conflux.faces.asked import OwnerAsked, asked, owner_of
from conflux.faces.key_view import moment_text
from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError
from conflux.neutral.money import MoneyError, nano_from_usd, usd
from conflux.neutral.people import BudgetRow, Owner


class Budgets(Protocol):
    async def rows(self) -> list[BudgetRow]: ...
    async def put(self, owner: Owner, window: str, cap: int | None) -> None: ...


class Wish(OwnerAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    window: str = "total"
    usd: str | None  # None: no cap


class BudgetAdmin:
    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    def table(self) -> dict[str, Work]:
        return {"budgets.list": self.list, "budgets.set": self.set}

    async def list(self, params: dict[str, Any]) -> Any:
        return {"budgets": [_shown(row) for row in await self._budgets.rows()]}

    async def set(self, params: dict[str, Any]) -> Any:
        wish = asked("budgets set", params, Wish)
        owner = owner_of("budgets set", wish)
        try:
            cap = nano_from_usd(wish.usd) if wish.usd is not None else None
        except MoneyError as error:
            raise ConfigError([f"budgets set: --usd: {error}"]) from None
        await self._budgets.put(owner, wish.window, cap)
        return {"kind": owner.kind, "owner": str(owner), "window": wish.window, "cap_usd": wish.usd}


def _shown(row: BudgetRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "owner": row.owner,
        "window": row.window,
        "cap_usd": usd(row.cap),
        "spent_usd": usd(row.spent),
        "held_usd": usd(row.held),
        "left_usd": usd(max(row.cap - row.spent - row.held, 0)),
        "resets_at": moment_text(row.resets),
    }
