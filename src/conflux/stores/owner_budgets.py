"""Budgets of storefronts, workspaces, users and keys, named as people name them.

Law: the ledger's own budgets; only whose they are is looked up here. A change counts when the call returns.
"""

from collections.abc import Callable
from time import time
from typing import Any

from conflux.neutral.people import BudgetRow, Owner
from conflux.neutral.records import Scope
from conflux.stores.budget_rows import put_budget, standing
from conflux.stores.budgets import FOREVER
from conflux.stores.key_format import KEY_ID
from conflux.stores.policies import owner_number
from conflux.stores.sql import Database, Run

_ROWS = """
    SELECT kind, scope_id, period, cap, workspace.name, user_workspace.name, app_user.name, storefront.name
    FROM budget
    LEFT JOIN workspace ON kind = 'workspace' AND workspace.id = scope_id
    LEFT JOIN app_user ON kind = 'user' AND app_user.id = scope_id
    LEFT JOIN workspace AS user_workspace ON user_workspace.id = app_user.workspace_id
    LEFT JOIN storefront ON kind = 'storefront' AND storefront.id = scope_id
    WHERE cap IS NOT NULL ORDER BY kind DESC, scope_id, period
"""


class OwnerBudgets:
    def __init__(self, ledger: Database, changed: Callable[[], None], now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._changed = changed
        self._now = now

    async def rows(self) -> list[BudgetRow]:
        now = int(self._now() * 1000)

        def read(run: Run) -> list[BudgetRow]:
            return [_row(run, row, now) for row in run.execute(_ROWS).fetchall()]

        return await self._ledger.read(read)

    async def put(self, owner: Owner, window: str, cap: int | None) -> None:
        """None: counted, not capped."""
        now = int(self._now() * 1000)

        def job(run: Run) -> None:
            put_budget(run, owner.kind, owner_number(run, owner), window, cap, now)

        await self._ledger.write(job)
        self._changed()

    async def put_storefront(self, name: str, window: str, cap: int | None) -> None:
        """As `put`, of all that is asked of a storefront."""
        now = int(self._now() * 1000)
        await self._ledger.write(lambda run: put_budget(run, "storefront", name, window, cap, now))
        self._changed()


def _row(run: Run, row: tuple[Any, ...], now: int) -> BudgetRow:
    kind, number, window, cap, workspace, of_user, user, storefront = row
    (found,) = standing(run, (Scope(kind, number, window, cap),), now)
    names = {
        "storefront": storefront,
        "workspace": workspace,
        "user": f"{of_user}/{user}",
        "key": f"{KEY_ID}{number}",
    }
    resets = found.resets if found.resets != FOREVER else None
    return BudgetRow(kind=kind, owner=names[kind], window=window, cap=cap, spent=found.posted, held=found.held,
                     resets=resets)  # fmt: skip
