"""Keys as rows.

Law: a secret exists once, in what `create` returns; the row has its keyed hash, its beginning and its last four
letters. What was changed counts when the call returns.
"""

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from conflux.neutral.keys import KeyOrder, KeyRow
from conflux.neutral.records import Caller, Scope
from conflux.stores.budget_rows import put_budget
from conflux.stores.key_format import KEY_ID, digest, key_number, new_secret
from conflux.stores.people import check_name
from conflux.stores.policies import policies_of
from conflux.stores.sql import Database, Run
from conflux.stores.subscriptions import subscribe, subscription_of

_LAST = 4

_FIND = """
    SELECT api_key.id, api_key.name, storefront, api_key.workspace_id, workspace.name, api_key.user_id, app_user.name,
        admin, test, agent, models, expires_at, revoked_at, coalesce(role, 'member'),
        (SELECT kind FROM closed WHERE (kind, owner_id) IN
            (VALUES ('workspace', api_key.workspace_id), ('user', api_key.user_id)) ORDER BY kind DESC LIMIT 1)
    FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id JOIN app_user ON app_user.id = api_key.user_id
    LEFT JOIN user_role ON user_role.user_id = api_key.user_id
    WHERE {where}
"""
# A storefront's budget is its owner's business: it counts, and no caller is shown it.
_SCOPES = """
    SELECT kind, scope_id, period, cap FROM budget
    WHERE (kind, scope_id) IN (VALUES ('key', ?), ('user', ?), ('workspace', ?))
    ORDER BY kind, scope_id, period
"""
_LIST = """
    SELECT api_key.id, api_key.name, prefix, last4, storefront, workspace.name, app_user.name, admin, test, agent,
        models, cap, coalesce(posted, 0), api_key.created, expires_at, revoked_at
    FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id JOIN app_user ON app_user.id = user_id
    LEFT JOIN budget ON kind = 'key' AND scope_id = api_key.id AND period = 'total'
    LEFT JOIN budget_window ON budget_id = budget.id AND start = 0
    ORDER BY api_key.id
"""


def find_caller(run: Run, name: bytes) -> Caller | None:
    return caller_where(run, "digest = ?", name)


def caller_by_id(run: Run, key_id: str) -> Caller | None:
    """The caller that a key's holder is, for an admin who asks what it may do."""
    return caller_where(run, "api_key.id = ?", key_number(key_id))


def caller_where(run: Run, where: str, value: bytes | int) -> Caller | None:
    return _caller(run, run.execute(_FIND.format(where=where), (value,)).fetchone())


def _caller(run: Run, row: Any) -> Caller | None:
    if row is None:
        return None
    key, label, storefront, workspace, workspace_name, user, user_name, admin, test, agent, models = row[:11]
    expires, gone, role, closed = row[11:]
    scopes = run.execute(_SCOPES, (key, user, workspace)).fetchall()
    return Caller(
        key_id=key,
        name=label,
        storefront=storefront,
        workspace_id=workspace,
        workspace=workspace_name,
        user_id=user,
        user=user_name,
        admin=bool(admin),
        test=bool(test),
        agent=bool(agent),
        models=frozenset(msgspec.json.decode(models, type=list[str])) if models is not None else None,
        expires_at=expires,
        revoked=gone is not None,
        closed=closed,
        role=role,
        policies=policies_of(run, workspace, user, key),
        scopes=tuple(Scope(*scope) for scope in scopes),
        subscription=subscription_of(run, key, user, workspace) if agent else None,
    )


class Keys:
    """`changed` is called after each change, before the call that made it returns."""

    def __init__(
        self, ledger: Database, pepper: bytes, changed: Callable[[], None], now: Callable[[], float] = time
    ) -> None:
        self._ledger = ledger
        self._pepper = pepper
        self._changed = changed
        self._now = now

    async def create(self, order: KeyOrder) -> tuple[str, str]:
        """The new key's id, and its secret, shown this once."""
        secret = new_secret(order.prefix)
        name = digest(self._pepper, secret)
        number = await self._ledger.write(lambda run: self._insert(run, order, name, secret[-_LAST:]))
        self._changed()
        return f"{KEY_ID}{number}", secret

    def _insert(self, run: Run, order: KeyOrder, name: bytes, last: str) -> int:
        now = int(self._now())
        workspace = _named(run, "workspace", "name = ?", (order.workspace,), "(name, created)", (order.workspace, now))
        owner = (workspace, order.user)
        user = _named(
            run, "app_user", "workspace_id = ? AND name = ?", owner, "(workspace_id, name, created)", (*owner, now)
        )
        models = msgspec.json.encode(order.models).decode() if order.models is not None else None
        values = (
            *(name, order.prefix, last, order.name, order.storefront, workspace, user, models),
            *(int(order.admin), int(order.test), int(order.agent), now, order.expires_at),
        )
        key = run.execute(
            "INSERT INTO api_key (digest, prefix, last4, name, storefront, workspace_id, user_id, models, admin, test,"
            " agent, created, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            values,
        ).fetchone()[0]
        # Every key is counted, capped or not: its spending is asked for more often than anything else.
        put_budget(run, "key", key, "total", order.budget, now * 1000, fresh=True)
        if order.plan is not None and subscription_of(run, int(key), user, workspace) is None:
            subscribe(run, "user", user, order.plan, now * 1000)
        return int(key)

    async def list(self) -> list[KeyRow]:
        rows = await self._ledger.read(lambda run: run.execute(_LIST).fetchall())
        return [_row(row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """False where there is no such key. Revoking twice is no mistake."""
        put = "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?"
        values = (int(self._now()), key_number(key_id))
        changed = await self._ledger.write(lambda run: run.execute(put, values).rowcount)
        self._changed()
        return changed > 0


def _named(run: Run, table: str, where: str, values: tuple[Any, ...], columns: str, new: tuple[Any, ...]) -> int:
    """The row's id; a name that is new is a new row."""
    row = run.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
    if row is None:
        check_name(table.removeprefix("app_"), new[-2])
        marks = ", ".join("?" * len(new))
        row = run.execute(f"INSERT INTO {table} {columns} VALUES ({marks}) RETURNING id", new).fetchone()
    return int(row[0])


def _row(row: tuple[Any, ...]) -> KeyRow:
    number, name, prefix, last4, storefront, workspace, user, admin, test, agent, models, cap, spent = row[:13]
    created, expires_at, revoked_at = row[13:]
    return KeyRow(
        id=f"{KEY_ID}{number}",
        name=name,
        prefix=prefix,
        last4=last4,
        storefront=storefront,
        workspace=workspace,
        user=user,
        admin=bool(admin),
        test=bool(test),
        agent=bool(agent),
        models=msgspec.json.decode(models, type=list[str]) if models is not None else None,
        budget=cap,
        spent=spent,
        created=created,
        expires_at=expires_at,
        revoked=revoked_at is not None,
    )
