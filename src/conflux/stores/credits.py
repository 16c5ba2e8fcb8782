"""Credits of workspaces, named as people name them.

Law: the ledger's own grants; only whose they are is looked up here. A change counts when the call returns.
"""

from collections.abc import Callable
from time import time

from conflux.neutral.people import Owner
from conflux.stores.credit_rows import GrantRow, add_grant, balance, end_grant, grants
from conflux.stores.policies import owner_number
from conflux.stores.purses import Balance
from conflux.stores.sql import Database, Run


class Credits:
    def __init__(self, ledger: Database, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._now = now

    def _moment(self) -> int:
        return int(self._now() * 1000)

    async def grant(self, workspace: str, amount: int, expires_at: int | None, note: str) -> int:
        """The grant's number. `expires_at`: unix milliseconds."""
        now = self._moment()

        def job(run: Run) -> int:
            return add_grant(run, owner_number(run, Owner(workspace=workspace)), amount, expires_at, note, now)

        return await self._ledger.write(job)

    async def revoke(self, number: int) -> int:
        """What was left of it."""
        now = self._moment()
        return await self._ledger.write(lambda run: end_grant(run, number, now))

    async def grants(self, workspace: str | None) -> list[GrantRow]:
        return await self._ledger.read(lambda run: grants(run, workspace))

    async def balance(self, workspace: str) -> Balance:
        now = self._moment()
        return await self._ledger.read(lambda run: balance(run, owner_number(run, Owner(workspace=workspace)), now))

    async def balance_of(self, workspace: int) -> Balance:
        now = self._moment()
        return await self._ledger.read(lambda run: balance(run, workspace, now))
