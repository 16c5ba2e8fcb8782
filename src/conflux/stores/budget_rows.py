"""Budgets as rows: giving one, and where it stands.

Law: a budget, once given, stays; taking it away sets its cap to null. So a request never counts against less than its
caller was read with.
"""

from typing import NamedTuple

from conflux.neutral.errors import ConfigError
from conflux.neutral.records import Scope
from conflux.stores.budgets import KINDS, WINDOWS, span_of
from conflux.stores.projections import figures_of
from conflux.stores.sql import Run


class Standing(NamedTuple):
    """A budget in one of its windows."""

    scope: Scope
    posted: int
    held: int
    resets: int  # unix milliseconds; budgets.FOREVER for a total


def put_budget(
    run: Run, kind: str, owner: int | str, window: str, cap: int | None, now: int, *, fresh: bool = False
) -> Scope:
    """`fresh`: the owner is new, so there is nothing to count yet."""
    if kind not in KINDS or window not in WINDOWS or (kind == "storefront") != isinstance(owner, str):
        raise ConfigError([f"there is no budget of {kind} {owner!r} by {window!r}"])
    if cap is not None and not 0 <= cap < 1 << 62:
        raise ConfigError(["a budget is an amount from 0 to 4 thousand million USD"])
    number = _storefront(run, owner) if isinstance(owner, str) else owner
    scope = Scope(kind, number, window, cap)
    row = run.execute(
        "SELECT id FROM budget WHERE kind = ? AND scope_id = ? AND period = ?", (kind, number, window)
    ).fetchone()
    if row is not None:
        run.execute("UPDATE budget SET cap = ? WHERE id = ?", (cap, row[0]))
        budget = int(row[0])
    else:
        put = "INSERT INTO budget (kind, scope_id, period, cap, created) VALUES (?, ?, ?, ?, ?) RETURNING id"
        budget = int(run.execute(put, (kind, number, window, cap, now)).fetchone()[0])
        for start, (posted, held) in ({} if fresh else figures_of(run, kind, owner, window)).items():
            run.execute("INSERT INTO budget_window VALUES (?, ?, ?, ?)", (budget, start, posted, held))
    # What was spent before the cap came down is no overrun: `verify` excuses the windows up to now, or up to the last
    # of them where the clock has gone back.
    over = "SELECT max(start) FROM budget_window WHERE budget_id = ? AND posted + held > ?"
    last = run.execute(over, (budget, cap)).fetchone()[0]
    if last is not None:
        run.execute("UPDATE budget SET lowered_at = ? WHERE id = ?", (max(now, last), budget))
    return scope


def _storefront(run: Run, name: str) -> int:
    run.execute("INSERT INTO storefront (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (name,))
    return int(run.execute("SELECT id FROM storefront WHERE name = ?", (name,)).fetchone()[0])


def standing(run: Run, scopes: tuple[Scope, ...], now: int) -> list[Standing]:
    found = []
    for scope in scopes:
        span = span_of(scope.window, now)
        row = run.execute(
            "SELECT cap, coalesce(posted, 0), coalesce(held, 0) FROM budget"
            " LEFT JOIN budget_window ON budget_id = id AND start = ? WHERE kind = ? AND scope_id = ? AND period = ?",
            (span.start, scope.kind, scope.id, scope.window),
        ).fetchone()
        if row is not None:
            found.append(Standing(Scope(scope.kind, scope.id, scope.window, row[0]), row[1], row[2], span.end))
    return found
