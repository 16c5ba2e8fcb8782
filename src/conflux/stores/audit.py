"""The audit log: what admins did, in the order in which they did it.

Law: rows are added and read, never changed: the database's own triggers refuse it.
"""

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from conflux.neutral.accounts import Act, ActRow
from conflux.stores.sql import Database, Run

_COLUMNS = "id, at, actor, workspace, act, target, detail, outcome"


class Audit:
    def __init__(self, ledger: Database, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._now = now

    async def add(self, act: Act) -> None:
        at = int(self._now() * 1000)
        detail = msgspec.json.encode(act.detail, order="deterministic").decode()
        values = (at, act.actor, act.workspace, act.act, act.target, detail, act.outcome)
        put = "INSERT INTO audit (at, actor, workspace, act, target, detail, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)"
        await self._ledger.write(lambda run: run.execute(put, values).rowcount)

    async def rows(self, limit: int, *, before: int | None = None, workspace: str | None = None,
                   where: dict[str, Any] | None = None) -> list[ActRow]:  # fmt: skip
        """The newest first. `where`: actor, act, outcome, target exactly; since and until in unix milliseconds."""
        parts, values = ["1 = 1"], list[Any]()
        for column, value in (("workspace", workspace), *((where or {}).items())):
            if value is None:
                continue
            parts.append(_CONDITIONS[column])
            values.append(value)
        if before is not None:
            parts.append("id < ?")
            values.append(before)
        query = f"SELECT {_COLUMNS} FROM audit WHERE {' AND '.join(parts)} ORDER BY id DESC LIMIT ?"
        return [_row(row) for row in await self._ledger.read(lambda run: _all(run, query, [*values, limit]))]


_CONDITIONS = {
    "workspace": "workspace = ?",
    "actor": "actor = ?",
    "act": "act = ?",
    "target": "target = ?",
    "outcome": "outcome = ?",
    "since": "at >= ?",
    "until": "at < ?",
}


def _all(run: Run, query: str, values: list[Any]) -> list[Any]:
    return run.execute(query, values).fetchall()


def _row(row: Any) -> ActRow:
    number, at, actor, workspace, act, target, detail, outcome = row
    return ActRow(id=number, at=at, actor=actor, workspace=workspace, act=act, target=target,
                  detail=msgspec.json.decode(detail), outcome=outcome)  # fmt: skip
