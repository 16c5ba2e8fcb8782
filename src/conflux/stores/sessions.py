"""Sessions, passwords and failed sign-ins as rows.

Law: a session's secret is stored as its keyed hash alone. A session acts as a key: an admin's own, or one that exists
for its user's sessions only. What was ended or changed counts when the call returns. Failures are counted before the
password is looked at, in one transaction, so that many tries at once are many.
"""

import secrets
from collections.abc import Callable, Iterable
from time import time
from typing import Any

import msgspec

from conflux.neutral.accounts import SESSION_PREFIX, WEB, SessionRow
from conflux.neutral.errors import NoSuch
from conflux.neutral.records import Caller
from conflux.stores.budget_rows import put_budget
from conflux.stores.key_format import digest, new_secret
from conflux.stores.keys import caller_where
from conflux.stores.people import user_number
from conflux.stores.sql import Database, Run

SESSION_ID = "session_"
_AGENT_MOST = 200
_KEPT_MS = 86_400_000  # a failure is forgotten after a day

_ROWS = """
    SELECT web_session.id, app_user.name, workspace.name, by_key, web_session.created, expires_at, agent
    FROM web_session JOIN app_user ON app_user.id = user_id JOIN workspace ON workspace.id = workspace_id
    WHERE revoked_at IS NULL AND expires_at > ?
"""


def session_caller(run: Run, name: bytes) -> Caller | None:
    """Whom a session makes its browser, by its hash."""
    query = "SELECT id, key_id, expires_at FROM web_session WHERE digest = ? AND revoked_at IS NULL"
    row = run.execute(query, (name,)).fetchone()
    caller = caller_where(run, "api_key.id = ?", row[1]) if row is not None else None
    if row is None or caller is None:
        return None
    until = row[2] if caller.expires_at is None else min(row[2], caller.expires_at)
    return msgspec.structs.replace(caller, session=row[0], expires_at=until)


class Sessions:
    """`changed` is called after each change, before the call that made it returns."""

    def __init__(
        self, ledger: Database, pepper: bytes, changed: Callable[[], None], now: Callable[[], float] = time
    ) -> None:
        self._ledger = ledger
        self._pepper = pepper
        self._changed = changed
        self._now = now

    async def open(self, user: int, key: int | None, storefront: str, seconds: int, agent: str) -> str:
        """The new session's secret. `key`: the admin's it was opened with; None: the user's own for sessions."""
        secret = new_secret(SESSION_PREFIX)
        name, now = digest(self._pepper, secret), int(self._now())

        def job(run: Run) -> None:
            run.execute("DELETE FROM web_session WHERE expires_at <= ?", (now,))
            acts_as = key if key is not None else _web_key(run, user, storefront, now)
            run.execute(
                "INSERT INTO web_session (digest, user_id, key_id, by_key, created, expires_at, agent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, user, acts_as, int(key is not None), now, now + seconds, agent[:_AGENT_MOST]),
            )

        await self._ledger.write(job)
        self._changed()
        return secret

    async def switch(self, number: int, user: int, storefront: str) -> None:
        """Let a user's session act as the user's key of another storefront."""
        now = int(self._now())

        def job(run: Run) -> None:
            run.execute("UPDATE web_session SET key_id = ? WHERE id = ? AND user_id = ? AND by_key = 0",
                        (_web_key(run, user, storefront, now), number, user))  # fmt: skip

        await self._ledger.write(job)
        self._changed()

    async def rows(self, user: int | None = None, workspace: str | None = None) -> list[SessionRow]:
        """Those that last: a user's, a workspace's, or all."""
        query, values = _ROWS, [int(self._now())]
        if user is not None:
            query, values = query + " AND user_id = ?", [*values, user]
        if workspace is not None:
            query += " AND workspace.name = ?"
        rest = (workspace,) if workspace is not None else ()
        order = " ORDER BY web_session.id DESC"
        rows = await self._ledger.read(lambda run: run.execute(query + order, (*values, *rest)).fetchall())
        return [_row(row) for row in rows]

    async def close(self, number: int, user: int | None = None) -> bool:
        """End one; of this user alone where one is named. False where there is none."""
        query = "UPDATE web_session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
        values = [int(self._now()), number]
        if user is not None:
            query, values = query + " AND user_id = ?", [*values, user]
        return await self._end(query, values) > 0

    async def close_all(self, user: int, but: int | None = None) -> int:
        query = "UPDATE web_session SET revoked_at = ? WHERE user_id = ? AND id <> ? AND revoked_at IS NULL"
        return await self._end(query, [int(self._now()), user, but if but is not None else -1])

    async def _end(self, query: str, values: list[int]) -> int:
        ended = await self._ledger.write(lambda run: run.execute(query, values).rowcount)
        self._changed()
        return ended

    # --- passwords

    async def password(self, workspace: str, user: str) -> tuple[int, str] | None:
        """The user's number and the hash of the password; None where there is none, or the user is switched off."""
        query = (
            "SELECT user_id, hash FROM user_password JOIN app_user ON app_user.id = user_id"
            " JOIN workspace ON workspace.id = workspace_id WHERE workspace.name = ? AND app_user.name = ?"
            " AND NOT EXISTS (SELECT 1 FROM closed WHERE (kind = 'user' AND owner_id = app_user.id)"
            " OR (kind = 'workspace' AND owner_id = workspace.id))"
        )
        row = await self._ledger.read(lambda run: run.execute(query, (workspace, user)).fetchone())
        return (int(row[0]), str(row[1])) if row is not None else None

    async def set_password(self, workspace: str, user: str, hashed: str | None, but: int | None = None) -> None:
        """None takes it away. Every session of the user ends, `but` this one; what was counted against it is
        forgotten."""

        def job(run: Run) -> None:
            number, now = user_number(run, workspace, user), int(self._now())
            run.execute("DELETE FROM user_password WHERE user_id = ?", (number,))
            if hashed is not None:
                put = "INSERT INTO user_password (user_id, hash, changed) VALUES (?, ?, ?)"
                run.execute(put, (number, hashed, now))
            run.execute("UPDATE web_session SET revoked_at = ? WHERE user_id = ? AND id <> ? AND revoked_at IS NULL",
                        (now, number, but if but is not None else -1))  # fmt: skip
            run.execute("DELETE FROM sign_in_failure WHERE name = ?", (f"user:{workspace}/{user}",))

        await self._ledger.write(job)
        self._changed()

    # --- failures

    async def attempt(self, names: Iterable[str], wait: Callable[[str, int], float]) -> float:
        """Count an attempt against each name. The seconds to wait where one of them is shut: then nothing is counted.
        `wait`: how long a name is shut after so many failures."""
        now, wanted = int(self._now() * 1000), list(names)

        def job(run: Run) -> float:
            run.execute("DELETE FROM sign_in_failure WHERE changed < ?", (now - _KEPT_MS,))
            found = {}
            for name in wanted:
                row = run.execute("SELECT count, until FROM sign_in_failure WHERE name = ?", (name,)).fetchone()
                found[name] = (int(row[0]), int(row[1])) if row is not None else (0, 0)
            shut = max(until for _, until in found.values()) - now
            if shut > 0:
                return shut / 1000
            for name, (count, _) in found.items():
                until = now + int(wait(name, count + 1) * 1000)
                run.execute(
                    "INSERT INTO sign_in_failure (name, count, until, changed) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
                    " DO UPDATE SET count = excluded.count, until = excluded.until, changed = excluded.changed",
                    (name, count + 1, until, now),
                )
            return 0.0

        return await self._ledger.write(job)

    async def forgive(self, user: str, address: str) -> None:
        """It was the right password: nothing was wrong with this attempt. Earlier ones from the address stay counted,
        so that an account of one's own buys no further guesses at others."""

        def job(run: Run) -> None:
            run.execute("DELETE FROM sign_in_failure WHERE name = ?", (user,))
            run.execute("UPDATE sign_in_failure SET count = count - 1, until = 0 WHERE name = ?", (address,))

        await self._ledger.write(job)


def session_number(name: str) -> int:
    """The row of a session's id; -1, which no row has, for what is no id."""
    digits = name.removeprefix(SESSION_ID)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1


def _web_key(run: Run, user: int, storefront: str, now: int) -> int:
    """The key that the user's sessions act as: made where there is none. Nobody holds its secret."""
    query = "SELECT id FROM api_key WHERE user_id = ? AND prefix = ? AND storefront = ? AND revoked_at IS NULL"
    row = run.execute(query, (user, WEB, storefront)).fetchone()
    if row is not None:
        return int(row[0])
    home = run.execute("SELECT workspace_id FROM app_user WHERE id = ?", (user,)).fetchone()
    if home is None:
        raise NoSuch(["this user is not there any more"])
    key = run.execute(
        "INSERT INTO api_key (digest, prefix, last4, name, storefront, workspace_id, user_id, admin, test, agent,"
        " created) VALUES (?, ?, '', 'web', ?, ?, ?, 0, 0, 0, ?) RETURNING id",
        (secrets.token_bytes(32), WEB, storefront, int(home[0]), user, now),
    ).fetchone()[0]
    put_budget(run, "key", key, "total", None, now * 1000, fresh=True)
    return int(key)


def _row(row: Any) -> SessionRow:
    number, user, workspace, by_key, created, expires_at, agent = row
    return SessionRow(id=f"{SESSION_ID}{number}", user=user, workspace=workspace, by_key=bool(by_key), created=created,
                      expires_at=expires_at, agent=agent)  # fmt: skip
