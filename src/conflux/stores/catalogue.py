"""What a refresh saw and what an admin decided, as rows.

Law: a change that was decided is never altered, but for being taken back; each says who decided and when. What was
written counts when the call returns.
"""

from collections.abc import Callable, Iterable
from time import time
from typing import Any

import msgspec

from conflux.catalogue.changes import ACCEPTED, OBSOLETE, OPEN, REJECTED, Change
from conflux.catalogue.proposals import Sighting
from conflux.stores.sql import Database, Run

_CHANGE = "id, target_table, target_key, field, fields, old, source, state, seen, decided, decided_by, effective_at"
_PUT_SIGHTING = """
    INSERT INTO catalogue_sighting (provider, kind, tried, good, outcome, detail, models, missing)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (provider, kind) DO UPDATE SET tried = excluded.tried, good = excluded.good,
        outcome = excluded.outcome, detail = excluded.detail, models = excluded.models, missing = excluded.missing
"""

_DECIDE = "INSERT INTO catalogue_decision (change_id, state, decided, decided_by) VALUES (?, ?, ?, ?)"

_KEPT_SECONDS = 30 * 86_400


class CatalogueRows:
    def __init__(self, ledger: Database, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._now = now

    async def sightings(self) -> list[Sighting]:
        query = "SELECT provider, kind, tried, good, outcome, detail, models, missing FROM catalogue_sighting"
        rows = await self._ledger.read(lambda run: run.execute(f"{query} ORDER BY provider, kind").fetchall())
        return [_sighting(row) for row in rows]

    async def see(self, sighting: Sighting) -> None:
        one = msgspec.structs.asdict(sighting)
        for name in ("models", "missing"):
            one[name] = _json(one[name])
        await self._ledger.write(lambda run: run.execute(_PUT_SIGHTING, tuple(one.values())) and None)

    async def changes(self, *states: str) -> list[Change]:
        """In these states, or all of them."""
        where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        query = f"SELECT {_CHANGE} FROM catalogue_change {where} ORDER BY id"
        return [_change(row) for row in await self._ledger.read(lambda run: run.execute(query, states).fetchall())]

    async def propose(self, proposed: Iterable[Change]) -> int:
        """Let the open proposals be these: new ones are added, those that nobody makes any more become obsolete, and
        what was rejected once is not proposed again. How many are new."""
        wanted = {_said(one): one for one in proposed}
        now = int(self._now())

        def put(run: Run) -> int:
            query = f"SELECT {_CHANGE} FROM catalogue_change WHERE state IN (?, ?)"
            found = [_change(row) for row in run.execute(query, (OPEN, REJECTED))]
            for one in found:
                if one.state == OPEN and not _same(wanted.get(_said(one)), one):
                    run.execute("UPDATE catalogue_change SET state = ? WHERE id = ?", (OBSOLETE, one.id))
                else:
                    wanted.pop(_said(one), None)
            for one in wanted.values():
                _insert(run, one, now)
            # Nobody decided about these; a provider whose figures waver must not fill the store.
            run.execute("DELETE FROM catalogue_change WHERE state = ? AND seen < ?", (OBSOLETE, now - _KEPT_SECONDS))
            return len(wanted)

        return await self._ledger.write(put)

    async def decide(self, ids: Iterable[int], state: str, by: str) -> None:
        """Open ones are accepted or rejected; accepted ones can be taken back. Nothing else is decided twice."""
        now, numbers = int(self._now()), list(ids)
        begins = now if state == ACCEPTED else None
        before = (OPEN,) if state == ACCEPTED else (OPEN, ACCEPTED)

        def put(run: Run) -> None:
            for number in numbers:
                changed = run.execute(
                    "UPDATE catalogue_change SET decided = ?, decided_by = ?, effective_at = coalesce(effective_at, ?),"
                    f" state = ? WHERE id = ? AND state IN ({', '.join('?' * len(before))})",
                    (now, by, begins, state, number, *before),
                ).rowcount
                if changed:
                    run.execute(_DECIDE, (number, state, now, by))

        await self._ledger.write(put)

    async def add_accepted(self, changes: Iterable[Change], by: str) -> list[int]:
        """Imported rows: decided as they come, in force from their `effective_at` on, or now."""
        now, rows = int(self._now()), list(changes)

        def put(run: Run) -> list[int]:
            made = []
            for one in rows:
                number = _insert(run, one, now)
                run.execute("UPDATE catalogue_change SET state = ?, decided = ?, decided_by = ?, effective_at = ?"
                            " WHERE id = ?", (ACCEPTED, now, by, one.effective_at or now, number))  # fmt: skip
                run.execute(_DECIDE, (number, ACCEPTED, now, by))
                made.append(number)
            return made

        return await self._ledger.write(put)


def _insert(run: Run, one: Change, now: int) -> int:
    row = run.execute(
        "INSERT INTO catalogue_change (target_table, target_key, field, fields, old, source, state, seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (one.table, _json(one.key), one.field, _json(one.fields), _json(one.old), one.source, OPEN, now),
    ).fetchone()
    return int(row[0])


def _said(change: Change) -> tuple[Any, ...]:
    """What makes two proposals the same, whoever makes them: what would stand there."""
    return *change.about, _json(change.fields)


def _same(wanted: Change | None, stored: Change) -> bool:
    return wanted is not None and wanted.old == stored.old and wanted.source == stored.source


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _sighting(row: tuple[Any, ...]) -> Sighting:
    fields = dict(zip(Sighting.__struct_fields__, row, strict=True))
    for name in ("models", "missing"):
        fields[name] = msgspec.json.decode(fields[name])
    return msgspec.convert(fields, Sighting)


def _change(row: tuple[Any, ...]) -> Change:
    fields = dict(zip(Change.__struct_fields__, row, strict=True))
    for name in ("key", "fields", "old"):
        fields[name] = msgspec.json.decode(fields[name])
    return msgspec.convert(fields, Change)
