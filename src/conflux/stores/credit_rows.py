"""Credits as rows: giving them, taking a grant back, where a workspace stands; and what follows from the entries.

Law: a grant is booked as its own transaction, numbered below 0 so that no request has its number. Revoking ends a grant
now: what open requests hold of it they may still spend, nobody else may.
"""

from typing import Any, NamedTuple

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.stores.booking import Account
from conflux.stores.purses import Balance, read_purse
from conflux.stores.sql import Run

MOST = 10**18  # micro-credits of one grant
MOST_NOTE = 500
_CREDITS, _ISSUED = Account.CREDITS.value, Account.CREDITS_ISSUED.value


class GrantRow(NamedTuple):
    id: int
    workspace: str
    amount: int
    rest: int
    created: int
    expires_at: int | None
    revoked_at: int | None
    note: str


def add_grant(run: Run, workspace: int, amount: int, expires_at: int | None, note: str, now: int) -> int:
    if not 0 < amount <= MOST:
        raise ConfigError(["a grant is more than 0 and at most a million million credits"])
    if len(note) > MOST_NOTE or not note.isprintable():
        raise ConfigError([f"a note is up to {MOST_NOTE} printable characters"])
    if expires_at is not None and expires_at <= now:
        raise ConfigError(["a grant cannot be over before it begins"])
    number = int(
        run.execute(
            "INSERT INTO credit_grant (workspace_id, amount, rest, created, expires_at, note) VALUES (?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (workspace, amount, amount, now, expires_at, note),
        ).fetchone()[0]
    )
    for account, party, value in ((_CREDITS, number, amount), (_ISSUED, 0, -amount)):
        run.execute("INSERT INTO entry (tx, account, party, amount) VALUES (?, ?, ?, ?)",
                    (-number, account, party, value))  # fmt: skip
    return number


def end_grant(run: Run, number: int, now: int) -> int:
    """What of it is left and cannot be spent any more, but by requests under way. Revoking twice is no mistake."""
    row = run.execute("SELECT rest, expires_at FROM credit_grant WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NoSuch([f"there is no grant {number}: `conflux credits list` shows them"])
    ends = now if row[1] is None else min(now, row[1])
    run.execute("UPDATE credit_grant SET expires_at = ?, revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
                (ends, now, number))  # fmt: skip
    return int(row[0])


_LIST = """
    SELECT credit_grant.id, workspace.name, amount, rest, credit_grant.created, expires_at, revoked_at, note
    FROM credit_grant JOIN workspace ON workspace.id = workspace_id
"""


def grants(run: Run, workspace: str | None) -> list[GrantRow]:
    where, values = ("", ()) if workspace is None else (" WHERE workspace.name = ?", (workspace,))
    return [GrantRow(*row) for row in run.execute(f"{_LIST}{where} ORDER BY credit_grant.id", values).fetchall()]


def balance(run: Run, workspace: int, now: int) -> Balance:
    return read_purse(run, workspace, lock=False).balance(now)


# -- what follows from the entries

_OVERHELD = """
    SELECT count(*) FROM (
        SELECT workspace_id, sum(credits) AS held FROM claim GROUP BY workspace_id
    ) AS held WHERE held > (SELECT coalesce(sum(rest), 0) FROM credit_grant
        WHERE credit_grant.workspace_id = held.workspace_id)
"""


def _wrong(run: Run) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in _summed(run) if row[1] != row[2] or row[3]]


def _summed(run: Run) -> list[Any]:
    """Each grant's rest as it stands and as its entries have it, and what was booked of it too much."""
    if run.execute("SELECT 1 FROM credit_grant LIMIT 1").fetchone() is None:
        return []  # where nobody was given any, nobody waits for the entries to be read
    spent = dict(
        run.execute(f"SELECT party, sum(amount) FROM entry WHERE account = {_CREDITS} GROUP BY party").fetchall()
    )
    begun = dict(run.execute(f"SELECT party, amount FROM entry WHERE account = {_CREDITS} AND tx < 0").fetchall())
    rows = run.execute("SELECT id, rest, amount FROM credit_grant").fetchall()
    found = [(one, rest, int(spent.pop(one, 0)), begun.get(one, 0) - amount) for one, rest, amount in rows]
    return found + [(party, None, int(rest), 0) for party, rest in spent.items()]


def credits_drift(run: Run) -> int:
    return len(_wrong(run)) + int(run.execute(_OVERHELD).fetchone()[0])


def rebuild_credits(run: Run) -> int:
    """How many grants were wrong."""
    wrong = [row for row in _wrong(run) if row[1] is not None and row[1] != row[2]]
    for number, _, rest, _ in wrong:
        run.execute("UPDATE credit_grant SET rest = ? WHERE id = ?", (rest, number))
    return len(wrong)
