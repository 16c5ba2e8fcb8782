"""Receipts in lists: the newest first, with what they are looked for by.

Law: an id begins with its moment, so a span of time is a span of ids, and a page costs what is read for it, not what
there is.
"""

from typing import Any

import msgspec

from conflux.neutral.ledger import ID_CHANCES
from conflux.neutral.reports import Pace, ReceiptRow, Recent
from conflux.stores.budgets import DAY
from conflux.stores.key_format import KEY_ID, key_number
from conflux.stores.rows import REFUNDED
from conflux.stores.sql import Database, Run
from conflux.stores.usage import user_names
from conflux.stores.usage_rows import DUE

_ROWS = f"""
    SELECT request.id, request.created, key_id, coalesce(app_user.name, ''), coalesce(workspace.name, ''), storefront,
        requested_model, served_model, ending, status, cost, credits, provider_cost,
        input + cache_read + cache_write_5m + cache_write_1h + audio, output + reasoning, cache_read, latency_ms,
        first_byte_ms, coalesce({REFUNDED}, 0), simulated
    FROM request LEFT JOIN app_user ON app_user.id = user_id LEFT JOIN workspace ON workspace.id = request.workspace_id
    WHERE {{where}} ORDER BY request.id DESC LIMIT ?
"""
_RECENT = """
    SELECT storefront, requested_model, count(*),
        sum(CASE WHEN ending IN ('failed', 'cut', 'crashed') THEN 1 ELSE 0 END),
        sum(latency_ms), sum(first_byte_ms), count(first_byte_ms)
    FROM request WHERE id >= ? GROUP BY storefront, requested_model
"""
_PACE = """
    SELECT request.id / {step}, {column}, count(*),
        sum(CASE WHEN ending IN ('failed', 'cut', 'crashed') THEN 1 ELSE 0 END), sum(latency_ms), max(latency_ms),
        sum(first_byte_ms), count(first_byte_ms)
    FROM request WHERE {where} GROUP BY 1, 2
"""
_PACED = {
    "model": "requested_model",
    "key": "key_id",
    "user": "user_id",
    "storefront": "storefront",
}
_CONDITIONS = {
    "key": "key_id = ?",
    "user": "request.user_id = ?",
    "workspace": "request.workspace_id = ?",
    "model": "(requested_model = ? OR served_model = ?)",
    "storefront": "storefront = ?",
    "ending": "ending = ?",
    "status": "status = ?",
    "simulated": "simulated = ?",
    "since": "request.id >= ?",
    "until": "request.id < ?",
}


class Whose(msgspec.Struct, frozen=True):
    workspace: str
    user: str


class Receipts:
    def __init__(self, ledger: Database) -> None:
        self._ledger = ledger

    async def rows(self, limit: int, before: int | None, where: dict[str, Any]) -> list[ReceiptRow]:
        """`where`: key by its id, workspace by name, user as workspace/name, since and until in unix milliseconds."""

        def read(run: Run) -> list[Any]:
            wanted = {name: _number(run, name, value) for name, value in where.items() if value is not None}
            span = _span(run, wanted)
            if span is None:
                return []
            parts, values = ["request.id >= ?", "request.id < ?"], [*span]
            for name, value in wanted.items():
                parts.append(_CONDITIONS[name])
                values += [value] * _CONDITIONS[name].count("?")
            if before is not None:
                parts.append("request.id < ?")
                values.append(before)
            return run.execute(_ROWS.format(where=" AND ".join(parts)), (*values, limit)).fetchall()

        return [_row(row) for row in await self._ledger.read(read)]

    async def whose(self, number: int) -> Whose | None:
        query = (
            "SELECT coalesce(workspace.name, ''), coalesce(app_user.name, '') FROM request"
            " LEFT JOIN app_user ON app_user.id = user_id LEFT JOIN workspace ON workspace.id = request.workspace_id"
            " WHERE request.id = ?"
        )
        row = await self._ledger.read(lambda run: run.execute(query, (number,)).fetchone())
        return Whose(str(row[0]), str(row[1])) if row is not None else None

    async def open(self) -> tuple[int, int | None]:
        """How many requests are not settled yet, and when the first of them began, in unix milliseconds."""
        query = "SELECT count(*), min(created) FROM hold"
        row = await self._ledger.read(lambda run: run.execute(query).fetchone())
        return int(row[0]), int(row[1]) if row[1] is not None else None

    async def recent(self, since: int) -> list[Recent]:
        """How the models did since then, in unix milliseconds."""
        rows = await self._ledger.read(lambda run: run.execute(_RECENT, (_first(since),)).fetchall())
        return [
            Recent(storefront=row[0], model=row[1], requests=int(row[2]), failed=int(row[3]),
                   latency_ms=_mean(row[4], row[2]), first_byte_ms=_mean(row[5], row[6]))
            for row in rows
        ]  # fmt: skip

    async def chosen(self, since: int) -> dict[str, tuple[int, int]]:
        """How often each target was asked since then, and what it cost the house."""
        query = (
            "SELECT target, count(*), sum(coalesce(provider_cost, 0)) FROM attempt"
            " WHERE request_id >= ? AND target IS NOT NULL GROUP BY target"
        )
        rows = await self._ledger.read(lambda run: run.execute(query, (_first(since),)).fetchall())
        return {str(row[0]): (int(row[1]), int(row[2])) for row in rows}

    async def chosen_over(self, first: int, last: int, step: int) -> list[tuple[int, str, int, int]]:
        """As `chosen`, span by span: (number of the span since the epoch, target, how often, cost). All in
        milliseconds."""
        query = (
            f"SELECT request_id / {step * ID_CHANCES}, target, count(*), sum(coalesce(provider_cost, 0)) FROM attempt"
            " WHERE request_id >= ? AND request_id < ? AND target IS NOT NULL GROUP BY 1, target ORDER BY 1, target"
        )
        span = (_first(first), _first(last))
        rows = await self._ledger.read(lambda run: run.execute(query, span).fetchall())
        return [(int(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in rows]

    async def pace(self, first: int, last: int, step: int, by: str, where: dict[str, Any]) -> list[Pace]:
        """How long requests took, span by span, split by what `by` names. All in milliseconds."""
        column = _PACED[by]

        def read(run: Run) -> list[Any]:
            wanted = {name: _number(run, name, value) for name, value in where.items() if value is not None}
            parts, values = ["request.id >= ?", "request.id < ?"], [_first(first), _first(last)]
            for name, value in wanted.items():
                parts.append(_CONDITIONS[name])
                values += [value] * _CONDITIONS[name].count("?")
            query = _PACE.format(step=step * ID_CHANCES, column=column, where=" AND ".join(parts))
            names = user_names(run) if by == "user" else {}
            return [(row, names.get(row[1], str(row[1]))) for row in run.execute(query, values).fetchall()]

        found = [
            Pace(number=int(row[0]), name=f"{KEY_ID}{name}" if by == "key" else name, requests=int(row[2]),
                 failed=int(row[3]), latency_ms=_mean(row[4], row[2]), slowest_ms=int(row[5]),
                 first_byte_ms=_mean(row[6], row[7]))
            for row, name in await self._ledger.read(read)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.number, one.name))


def _span(run: Run, wanted: dict[str, Any]) -> tuple[int, int] | None:
    """The ids between which there can be any: the sums by day know it without a look at a receipt. None: there are
    none."""
    known = {name: value for name, value in wanted.items() if name in _BY_DAY}
    where = " AND ".join(_BY_DAY[name] for name in known) or "1 = 1"
    values = [value for name, value in known.items() for _ in range(_BY_DAY[name].count("?"))]
    days = []
    for source in ("usage_day", DUE):
        days += run.execute(f"SELECT min(day), max(day) FROM {source} WHERE {where}", values).fetchone()
    known_days = [day for day in days if day is not None]
    if not known_days:
        return None
    first, last = min(known_days), max(known_days)
    return _first(first * DAY), _first((last + 1) * DAY)


_BY_DAY = {
    "key": "key_id = ?",
    "user": "user_id = ?",
    "workspace": "workspace_id = ?",
    "model": "(model = ? OR served_model = ?)",
    "storefront": "storefront = ?",
    "simulated": "simulated = ?",
}


def _first(moment: int) -> int:
    """The first id that a request of this millisecond can have; ids end in 2039."""
    return min(moment * ID_CHANCES, (1 << 63) - 1)


def _number(run: Run, name: str, value: Any) -> Any:
    if name in ("since", "until"):
        return _first(int(value))
    if name == "key":
        return key_number(value)
    if name == "workspace":
        row = run.execute("SELECT id FROM workspace WHERE name = ?", (value,)).fetchone()
        return row[0] if row is not None else -1
    if name == "user":
        workspace, _, user = value.partition("/")
        query = (
            "SELECT app_user.id FROM app_user JOIN workspace ON workspace.id = workspace_id"
            " WHERE workspace.name = ? AND app_user.name = ?"
        )
        row = run.execute(query, (workspace, user)).fetchone()
        return row[0] if row is not None else -1
    return int(value) if isinstance(value, bool) else value


def _mean(total: Any, count: int) -> int | None:
    return int(total) // int(count) if total is not None and count else None


def _row(row: Any) -> ReceiptRow:
    number, created, key, *rest = row
    return ReceiptRow._make((number, created, f"{KEY_ID}{key}", *rest[:-1], bool(rest[-1])))
