"""Workspaces and users as rows.

Law: what was changed counts when the call returns. Nothing that keys or receipts still speak of is ever removed, so a
row's number never comes to mean somebody else.
"""

from collections.abc import Callable
from time import time
from typing import Any

from conflux.neutral.accounts import WEB
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.people import DEFAULT, ROLES, UserRow, WorkspaceRow
from conflux.stores.sql import Database, Run
from conflux.stores.usage_rows import DUE

_LONGEST = 100

_WORKSPACES = f"""
    SELECT id, name, created, NOT EXISTS (SELECT 1 FROM closed WHERE kind = 'workspace' AND owner_id = workspace.id),
        (SELECT count(*) FROM app_user WHERE workspace_id = workspace.id),
        (SELECT count(*) FROM api_key WHERE workspace_id = workspace.id AND revoked_at IS NULL AND prefix <> '{WEB}')
    FROM workspace
"""
_USERS = f"""
    SELECT app_user.id, app_user.name, workspace.name, coalesce(role, 'member'), app_user.created,
        NOT EXISTS (SELECT 1 FROM closed WHERE kind = 'user' AND owner_id = app_user.id),
        (SELECT count(*) FROM api_key WHERE api_key.user_id = app_user.id AND revoked_at IS NULL AND prefix <> '{WEB}')
    FROM app_user JOIN workspace ON workspace.id = workspace_id
    LEFT JOIN user_role ON user_role.user_id = app_user.id
"""


class People:
    """`changed` is called after each change, before the call that made it returns."""

    def __init__(self, ledger: Database, changed: Callable[[], None], now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._changed = changed
        self._now = now

    async def _write(self, job: Callable[[Run], None]) -> None:
        await self._ledger.write(job)
        self._changed()

    async def workspaces(self) -> list[WorkspaceRow]:
        rows = await self._ledger.read(lambda run: run.execute(_WORKSPACES + " ORDER BY id").fetchall())
        return [_workspace(row) for row in rows]

    async def workspace(self, name: str) -> WorkspaceRow:
        row = await self._ledger.read(lambda run: run.execute(_WORKSPACES + " WHERE name = ?", (name,)).fetchone())
        if row is None:
            raise _no_workspace(name)
        return _workspace(row)

    async def create_workspace(self, name: str) -> WorkspaceRow:
        check_name("workspace", name)

        def job(run: Run) -> None:
            if run.execute("SELECT 1 FROM workspace WHERE name = ?", (name,)).fetchone():
                raise ConfigError([f"there is a workspace {name!r} already"])
            run.execute("INSERT INTO workspace (name, created) VALUES (?, ?)", (name, int(self._now())))

        await self._write(job)
        return await self.workspace(name)

    async def rename_workspace(self, name: str, new: str) -> WorkspaceRow:
        check_name("workspace", new)

        def job(run: Run) -> None:
            number = workspace_number(run, name)
            _not_default("workspace", name)
            if new != name and run.execute("SELECT 1 FROM workspace WHERE name = ?", (new,)).fetchone():
                raise ConfigError([f"there is a workspace {new!r} already"])
            run.execute("UPDATE workspace SET name = ? WHERE id = ?", (new, number))

        await self._write(job)
        return await self.workspace(new)

    async def open_workspace(self, name: str, *, enabled: bool) -> WorkspaceRow:
        def job(run: Run) -> None:
            number = workspace_number(run, name)
            if not enabled:
                _not_default("workspace", name)
            self._open(run, "workspace", number, enabled)

        await self._write(job)
        return await self.workspace(name)

    async def delete_workspace(self, name: str) -> None:
        """Refused as long as keys, revoked ones too, or its own users speak of it."""

        def job(run: Run) -> None:
            number = workspace_number(run, name)
            _not_default("workspace", name)
            keys = _keys_of(run, "workspace_id", number)
            if keys:
                raise ConfigError([_has_keys(f"the workspace {name!r}", keys, "workspaces")])
            users = run.execute("SELECT id FROM app_user WHERE workspace_id = ?", (number,)).fetchall()
            for (user,) in users:
                _remove(run, "user", user)
            _remove(run, "workspace", number)

        await self._write(job)

    async def users(self, workspace: str | None = None) -> list[UserRow]:
        def read(run: Run) -> list[Any]:
            if workspace is None:
                return run.execute(_USERS + " ORDER BY workspace.id, app_user.id").fetchall()
            number = workspace_number(run, workspace)
            return run.execute(_USERS + " WHERE workspace_id = ? ORDER BY app_user.id", (number,)).fetchall()

        return [_user(row) for row in await self._ledger.read(read)]

    async def user(self, workspace: str, name: str) -> UserRow:
        def read(run: Run) -> Any:
            number = user_number(run, workspace, name)
            return run.execute(_USERS + " WHERE app_user.id = ?", (number,)).fetchone()

        return _user(await self._ledger.read(read))

    async def create_user(self, workspace: str, name: str, role: str) -> UserRow:
        check_name("user", name)
        _check_role(role)

        def job(run: Run) -> None:
            number = workspace_number(run, workspace)
            if run.execute("SELECT 1 FROM app_user WHERE workspace_id = ? AND name = ?", (number, name)).fetchone():
                raise ConfigError([f"the workspace {workspace!r} has a user {name!r} already"])
            put = "INSERT INTO app_user (workspace_id, name, created) VALUES (?, ?, ?) RETURNING id"
            user = run.execute(put, (number, name, int(self._now()))).fetchone()[0]
            run.execute("INSERT INTO user_role (user_id, role) VALUES (?, ?)", (user, role))

        await self._write(job)
        return await self.user(workspace, name)

    async def set_role(self, workspace: str, name: str, role: str) -> UserRow:
        _check_role(role)

        def job(run: Run) -> None:
            run.execute(
                "INSERT INTO user_role (user_id, role) VALUES (?, ?)"
                " ON CONFLICT (user_id) DO UPDATE SET role = excluded.role",
                (user_number(run, workspace, name), role),
            )

        await self._write(job)
        return await self.user(workspace, name)

    async def open_user(self, workspace: str, name: str, *, enabled: bool) -> UserRow:
        def job(run: Run) -> None:
            number = user_number(run, workspace, name)
            if not enabled and workspace == DEFAULT:
                _not_default("user", name)
            self._open(run, "user", number, enabled)

        await self._write(job)
        return await self.user(workspace, name)

    async def delete_user(self, workspace: str, name: str) -> None:
        def job(run: Run) -> None:
            number = user_number(run, workspace, name)
            if workspace == DEFAULT:
                _not_default("user", name)
            keys = _keys_of(run, "user_id", number)
            if keys:
                raise ConfigError([_has_keys(f"the user {workspace}/{name}", keys, "users")])
            _remove(run, "user", number)

        await self._write(job)

    def _open(self, run: Run, kind: str, number: int, enabled: bool) -> None:
        if enabled:
            run.execute("DELETE FROM closed WHERE kind = ? AND owner_id = ?", (kind, number))
        else:
            put = "INSERT INTO closed (kind, owner_id, since) VALUES (?, ?, ?) ON CONFLICT (kind, owner_id) DO NOTHING"
            run.execute(put, (kind, number, int(self._now())))


def workspace_number(run: Run, name: str) -> int:
    row = run.execute("SELECT id FROM workspace WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise _no_workspace(name)
    return int(row[0])


def user_number(run: Run, workspace: str, name: str) -> int:
    number = workspace_number(run, workspace)
    row = run.execute("SELECT id FROM app_user WHERE workspace_id = ? AND name = ?", (number, name)).fetchone()
    if row is None:
        raise NoSuch([f"the workspace {workspace!r} has no user {name!r}: `conflux users list` shows them"])
    return int(row[0])


def check_name(what: str, name: str) -> None:
    if not name.strip():
        raise ConfigError([f"a {what} needs a name"])
    if name != name.strip() or not name.isprintable() or "/" in name or len(name) > _LONGEST:
        raise ConfigError(
            [f"{name[:_LONGEST]!r} cannot be the name of a {what}: up to {_LONGEST} printable characters, no slash, "
             "no space at its ends"]
        )  # fmt: skip


def _no_workspace(name: str) -> NoSuch:
    return NoSuch([f"there is no workspace {name[:_LONGEST]!r}: `conflux workspaces list` shows them"])


def _not_default(what: str, name: str) -> None:
    if name == DEFAULT:
        raise ConfigError(
            [f"the {what} {DEFAULT!r} stays: keys that name no {what}, the first admin's too, belong to it"]
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise ConfigError([f"{role!r} is no role: use {', '.join(ROLES)}"])


def _has_keys(whose: str, count: int, group: str) -> str:
    keys = "1 key" if count == 1 else f"{count} keys"
    return (
        f"{whose} has {keys} (revoked ones count, and sessions that asked something: receipts speak of them), "
        f"so it stays; switched off, all of them stop (`conflux {group} disable`)"
    )


def _keys_of(run: Run, column: str, number: int) -> int:
    """Those that something speaks of. A session's, which nobody made, is one only where it was asked with."""
    rows = run.execute(f"SELECT id, prefix FROM api_key WHERE {column} = ?", (number,)).fetchall()
    return sum(prefix != WEB or _asked_with(run, key) for key, prefix in rows)


def _asked_with(run: Run, key: int) -> bool:
    used = (f"SELECT 1 FROM {source} WHERE key_id = ? LIMIT 1" for source in ("usage_day", DUE, "hold"))
    return any(run.execute(query, (key,)).fetchone() is not None for query in used)


def _remove(run: Run, kind: str, number: int) -> None:
    """The row and all that is said of it: its number may be given again."""
    budgets = "SELECT id FROM budget WHERE kind = ? AND scope_id = ?"
    run.execute(f"DELETE FROM budget_window WHERE budget_id IN ({budgets})", (kind, number))
    run.execute("DELETE FROM budget WHERE kind = ? AND scope_id = ?", (kind, number))
    run.execute("DELETE FROM policy WHERE kind = ? AND owner_id = ?", (kind, number))
    run.execute("DELETE FROM closed WHERE kind = ? AND owner_id = ?", (kind, number))
    if kind == "user":
        chats = "SELECT id FROM conversation WHERE user_id = ?"
        run.execute(f"DELETE FROM message WHERE conversation_id IN ({chats})", (number,))
        run.execute("DELETE FROM conversation WHERE user_id = ?", (number,))
        for table in ("user_role", "user_password", "web_session"):
            run.execute(f"DELETE FROM {table} WHERE user_id = ?", (number,))
        for (key,) in run.execute("SELECT id FROM api_key WHERE user_id = ?", (number,)).fetchall():
            _remove(run, "key", key)  # a session's that nothing speaks of: others would have kept the user
        run.execute("DELETE FROM app_user WHERE id = ?", (number,))
    elif kind == "key":
        run.execute("DELETE FROM api_key WHERE id = ?", (number,))
    else:
        run.execute("DELETE FROM workspace WHERE id = ?", (number,))


def _workspace(row: tuple[Any, ...]) -> WorkspaceRow:
    number, name, created, enabled, users, keys = row
    return WorkspaceRow(id=f"ws_{number}", name=name, enabled=bool(enabled), users=users, keys=keys, created=created)


def _user(row: tuple[Any, ...]) -> UserRow:
    number, name, workspace, role, created, enabled, keys = row
    return UserRow(id=f"user_{number}", name=name, workspace=workspace, role=role, enabled=bool(enabled), keys=keys,
                   created=created)  # fmt: skip
