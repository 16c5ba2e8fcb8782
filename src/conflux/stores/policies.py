"""Policies as rows, and models that an admin has switched on or off.

Law: one policy for an owner. It is changed whole, by a function of what it was, inside the transaction that reads it.
"""

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from conflux.neutral.errors import NoSuch
from conflux.neutral.people import Owner, PolicyRow, Status
from conflux.neutral.policies import KINDS, Policy, Terms
from conflux.stores.key_format import KEY_ID, key_number
from conflux.stores.people import user_number, workspace_number
from conflux.stores.sql import Database, Run

_IN_FORCE = """
    SELECT kind, owner_id, terms FROM policy
    WHERE enabled = 1 AND (kind, owner_id) IN (VALUES ('workspace', ?), ('user', ?), ('key', ?))
"""
_ROWS = """
    SELECT policy.id, policy.kind, policy.owner_id, policy.enabled, policy.terms, policy.changed, workspace.name,
        user_workspace.name, app_user.name
    FROM policy
    LEFT JOIN workspace ON policy.kind = 'workspace' AND workspace.id = policy.owner_id
    LEFT JOIN app_user ON policy.kind = 'user' AND app_user.id = policy.owner_id
    LEFT JOIN workspace AS user_workspace ON user_workspace.id = app_user.workspace_id
"""


def policies_of(run: Run, workspace: int, user: int, key: int) -> tuple[Policy, ...]:
    """Those in force for a caller, the widest first."""
    rows = run.execute(_IN_FORCE, (workspace, user, key)).fetchall()
    found = [
        Policy(kind=kind, owner_id=owner, terms=msgspec.json.decode(terms, type=Terms)) for kind, owner, terms in rows
    ]
    return tuple(sorted(found, key=lambda one: KINDS.index(one.kind)))


class Policies:
    """`changed` is called after each change of a policy, before the call that made it returns."""

    def __init__(self, ledger: Database, changed: Callable[[], None], now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._changed = changed
        self._now = now

    async def rows(self) -> list[PolicyRow]:
        rows = await self._ledger.read(lambda run: run.execute(_ROWS + " ORDER BY policy.id").fetchall())
        return [_row(row) for row in rows]

    async def show(self, owner: Owner) -> PolicyRow:
        return _row(await self._ledger.read(lambda run: _one(run, owner)))

    async def change(self, owner: Owner, change: Callable[[Terms], Terms]) -> PolicyRow:
        """Make the owner's policy what `change` makes of it; of none, what it makes of empty terms."""

        def job(run: Run) -> None:
            number = owner_number(run, owner)
            where = (owner.kind, number)
            row = run.execute("SELECT terms FROM policy WHERE kind = ? AND owner_id = ?", where).fetchone()
            terms = change(msgspec.json.decode(row[0], type=Terms) if row is not None else Terms())
            run.execute(
                "INSERT INTO policy (kind, owner_id, enabled, terms, changed) VALUES (?, ?, 1, ?, ?)"
                " ON CONFLICT (kind, owner_id) DO UPDATE SET terms = excluded.terms, changed = excluded.changed",
                (*where, msgspec.json.encode(terms).decode(), int(self._now())),
            )

        return await self._done(owner, job)

    async def enable(self, owner: Owner, *, enabled: bool) -> PolicyRow:
        def job(run: Run) -> None:
            number = int(_one(run, owner)[0])
            put = "UPDATE policy SET enabled = ?, changed = ? WHERE id = ?"
            run.execute(put, (int(enabled), int(self._now()), number))

        return await self._done(owner, job)

    async def delete(self, owner: Owner) -> None:
        await self._ledger.write(lambda run: run.execute("DELETE FROM policy WHERE id = ?", (_one(run, owner)[0],)))
        self._changed()

    async def _done(self, owner: Owner, job: Callable[[Run], None]) -> PolicyRow:
        def both(run: Run) -> Any:
            job(run)
            return _one(run, owner)

        row = await self._ledger.write(both)
        self._changed()
        return _row(row)

    async def statuses(self) -> list[Status]:
        query = "SELECT storefront, model, enabled, changed FROM model_status ORDER BY storefront, model"
        rows = await self._ledger.read(lambda run: run.execute(query).fetchall())
        return [Status(storefront=row[0], model=row[1], enabled=bool(row[2]), changed=row[3]) for row in rows]

    async def set_status(self, storefront: str, model: str, *, enabled: bool) -> None:
        put = (
            "INSERT INTO model_status (storefront, model, enabled, changed) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (storefront, model) DO UPDATE SET enabled = excluded.enabled, changed = excluded.changed"
        )
        values = (storefront, model, int(enabled), int(self._now()))
        await self._ledger.write(lambda run: run.execute(put, values).rowcount)


def owner_number(run: Run, owner: Owner) -> int:
    if owner.key is None:
        if owner.user is None:
            return workspace_number(run, owner.workspace)
        return user_number(run, owner.workspace, owner.user)
    row = run.execute("SELECT id FROM api_key WHERE id = ?", (key_number(owner.key),)).fetchone()
    if row is not None:
        return int(row[0])
    raise NoSuch([f"there is no key {owner.key[:80]!r}: `conflux keys list` shows them"])


def _one(run: Run, owner: Owner) -> Any:
    number = owner_number(run, owner)
    where = " WHERE policy.kind = ? AND policy.owner_id = ?"
    row = run.execute(_ROWS + where, (owner.kind, number)).fetchone()
    if row is None:
        raise NoSuch([f"the {owner.kind} {owner} has no policy: `conflux policies list` shows those there are"])
    return row


def _row(row: Any) -> PolicyRow:
    number, kind, owner, enabled, terms, changed, workspace, of_user, user = row
    names = {"workspace": workspace, "user": f"{of_user}/{user}", "key": f"{KEY_ID}{owner}"}
    return PolicyRow(
        id=f"pol_{number}",
        kind=kind,
        owner=names[kind],
        enabled=bool(enabled),
        terms=msgspec.json.decode(terms, type=Terms),
        changed=changed,
    )
