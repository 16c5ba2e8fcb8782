"""Who is subscribed to which plan, as rows.

Law: an owner has at most one subscription at a time. A key's own counts before its user's, and that before its
workspace's. One that ended stays, since what was used of it refers to it; another begins with nothing used.
"""

from collections.abc import Callable
from time import time
from typing import Any, NamedTuple

from conflux.neutral.errors import NoSuch
from conflux.neutral.people import Owner
from conflux.neutral.plans import Plan, PlanStanding, Subscription
from conflux.stores.key_format import KEY_ID
from conflux.stores.meters import read_meter
from conflux.stores.policies import owner_number
from conflux.stores.sql import Database, Run

_OF = """
    SELECT id, plan FROM subscription WHERE ended_at IS NULL
    AND (kind, owner_id) IN (VALUES ('key', ?), ('user', ?), ('workspace', ?)) ORDER BY kind LIMIT 1
"""
_ROWS = """
    SELECT subscription.id, kind, owner_id, plan, subscription.created, workspace.name, user_workspace.name,
        app_user.name
    FROM subscription
    LEFT JOIN workspace ON kind = 'workspace' AND workspace.id = owner_id
    LEFT JOIN app_user ON kind = 'user' AND app_user.id = owner_id
    LEFT JOIN workspace AS user_workspace ON user_workspace.id = app_user.workspace_id
    WHERE ended_at IS NULL ORDER BY subscription.id
"""


class SubscriptionRow(NamedTuple):
    id: int
    kind: str
    owner: str
    plan: str
    created: int  # unix milliseconds


def subscription_of(run: Run, key: int, user: int, workspace: int) -> Subscription | None:
    row = run.execute(_OF, (key, user, workspace)).fetchone()
    return Subscription(row[0], row[1]) if row is not None else None


def subscribe(run: Run, kind: str, owner: int, plan: str, now: int) -> int:
    """The one to the same plan goes on; another ends."""
    row = run.execute(
        "SELECT id, plan FROM subscription WHERE kind = ? AND owner_id = ? AND ended_at IS NULL", (kind, owner)
    ).fetchone()
    if row is not None:
        if row[1] == plan:
            return int(row[0])
        run.execute("UPDATE subscription SET ended_at = ? WHERE id = ?", (now, row[0]))
    put = "INSERT INTO subscription (kind, owner_id, plan, created) VALUES (?, ?, ?, ?) RETURNING id"
    return int(run.execute(put, (kind, owner, plan, now)).fetchone()[0])


class Subscriptions:
    def __init__(self, ledger: Database, changed: Callable[[], None], now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._changed = changed
        self._now = now

    async def rows(self) -> list[SubscriptionRow]:
        return await self._ledger.read(lambda run: [_row(row) for row in run.execute(_ROWS).fetchall()])

    async def put(self, owner: Owner, plan: str) -> int:
        now = int(self._now() * 1000)
        found = await self._ledger.write(lambda run: subscribe(run, owner.kind, owner_number(run, owner), plan, now))
        self._changed()
        return found

    async def end(self, owner: Owner) -> None:
        now = int(self._now() * 1000)

        def job(run: Run) -> None:
            gone = "UPDATE subscription SET ended_at = ? WHERE kind = ? AND owner_id = ? AND ended_at IS NULL"
            if not run.execute(gone, (now, owner.kind, owner_number(run, owner))).rowcount:
                raise NoSuch(
                    [f"the {owner.kind} {owner} is not subscribed to a plan: `conflux plans list` shows who is"]
                )

        await self._ledger.write(job)
        self._changed()

    async def standing(self, subscription: int, plan: Plan) -> list[PlanStanding]:
        now = int(self._now() * 1000)

        def read(run: Run) -> list[PlanStanding]:
            meter = read_meter(run, subscription, plan, now, lock=False)
            return [meter.standing(window, now) for window in plan.windows]

        return await self._ledger.read(read)


def _row(row: tuple[Any, ...]) -> SubscriptionRow:
    number, kind, owner, plan, created, workspace, of_user, user = row
    names = {"workspace": workspace, "user": f"{of_user}/{user}", "key": f"{KEY_ID}{owner}"}
    return SubscriptionRow(number, kind, names[kind], plan, created)
