"""What is administered besides keys, put together once for the server and for whoever works without one.

Law: only a list; each operation is at home in its own file.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from conflux.faces.budget_admin import BudgetAdmin, Budgets
from conflux.faces.credit_admin import CreditAdmin, Credits, PlanAdmin, Subscriptions
from conflux.faces.explain_admin import Explain, ExplainAdmin
from conflux.faces.model_admin import ModelAdmin, Statuses
from conflux.faces.operations import Work
from conflux.faces.people_admin import Passwords, People, PeopleAdmin
from conflux.faces.policy_admin import Policies, PolicyAdmin
from conflux.faces.probe_admin import Examine, ProbeAdmin
from conflux.faces.refund_admin import Refunded, refund
from conflux.neutral.probes import ProbeBook
from conflux.neutral.records import Caller
from conflux.relay.snapshot import Snapshot


class PoliciesAndStatuses(Policies, Statuses, Protocol):
    """One store has both."""


class Rooms(Protocol):
    """Where it is kept."""

    @property
    def budgets(self) -> Budgets: ...
    @property
    def credits(self) -> Credits: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def people(self) -> People: ...
    @property
    def policies(self) -> PoliciesAndStatuses: ...

    @property
    def sessions(self) -> Passwords: ...

    @property
    def probes(self) -> ProbeBook: ...

    async def rebuild(self) -> int: ...

    async def refund(self, number: int, amount: int | None) -> Refunded: ...

    async def caller(self, key_id: str) -> Caller | None: ...


def administration(
    store: Rooms,
    snapshot: Callable[[], Snapshot],
    refresh: Callable[[], Awaitable[None]],
    now: Callable[[], float],
    examine: Examine | None = None,
    explain: Explain | None = None,
) -> dict[str, Work]:
    """Every operation by its name."""

    async def rebuild(params: dict[str, Any]) -> Any:
        return {"rebuilt": await store.rebuild()}

    return {
        "ledger.rebuild": rebuild,
        "ledger.refund": partial(refund, store),
        **BudgetAdmin(store.budgets, snapshot).table(),
        **CreditAdmin(store.credits).table(),
        **PlanAdmin(store.subscriptions, snapshot).table(),
        **PeopleAdmin(store.people, store.sessions).table(),
        **PolicyAdmin(store.policies, store.caller, snapshot, now).table(),
        **ModelAdmin(store.policies, snapshot, refresh).table(),
        **ProbeAdmin(store.probes, snapshot, examine, now, refresh).table(),
        **ExplainAdmin(explain).table(),
    }
