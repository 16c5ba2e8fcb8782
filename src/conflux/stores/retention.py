"""What is kept for a time, and its end.

Law: swept in small pieces, each a transaction of its own, so that no request waits for a sweep. Money stays: entries,
receipts with their costs, tokens and tags, all that is checked or rebuilt from. What goes is what nobody adds up:
answers, prompts, comments, and the parts of old receipts.
"""

from collections.abc import Awaitable, Callable
from time import time

import msgspec

from conflux.neutral.ledger import ID_CHANCES
from conflux.stores.queue import Quiet
from conflux.stores.responses import delete_response
from conflux.stores.rows import retired
from conflux.stores.sql import Database, Run

DAY = 86_400
PIECE = 100  # rows of a transaction

_OVER = "expires <= ? AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.request_id = kept_answer.request_id)"
_ANSWERS = f"SELECT name FROM kept_answer WHERE {_OVER} ORDER BY expires LIMIT ?"
_RESPONSES = "SELECT key_id, id FROM stored_response WHERE expires <= ? ORDER BY expires LIMIT ?"
_COMMENTS = "SELECT request_id FROM feedback WHERE changed < ? AND comment <> '' LIMIT ?"
# Only receipts with parts have attempts, so what is over lies at the beginning.
_RECEIPTS = "SELECT DISTINCT request_id FROM attempt WHERE request_id < ? ORDER BY request_id LIMIT ?"

End = Callable[[Run, tuple[object, ...]], object]


class Keeps(msgspec.Struct, frozen=True, kw_only=True):
    """For how many days; 0: for ever. Answers and responses carry their own end."""

    receipt_days: int = 0
    comment_days: int = 0


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    days: int | None  # None: each row says when it is over
    rows: str  # the keys of what is over, the oldest first
    before: int  # seconds, or an id
    end: End


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One kind, as it stands."""

    kind: str
    days: int | None
    due: int  # rows that are over and still there


class Retention:
    def __init__(self, ledger: Database, keeps: Keeps, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._keeps = keeps
        self._now = now

    def _kinds(self) -> list[Kind]:
        """Those that end at some time."""
        now, keeps = int(self._now()), self._keeps
        found = [
            Kind(name="answers", days=None, rows=_ANSWERS, before=now, end=_end_answer),
            Kind(name="responses", days=None, rows=_RESPONSES, before=now, end=_end_response),
        ]
        if keeps.receipt_days:
            moment = (now - keeps.receipt_days * DAY) * 1000 * ID_CHANCES
            found.append(Kind(name="receipts", days=keeps.receipt_days, rows=_RECEIPTS, before=moment, end=_end_parts))
        if keeps.comment_days:
            moment = now - keeps.comment_days * DAY
            found.append(Kind(name="comments", days=keeps.comment_days, rows=_COMMENTS, before=moment,
                              end=_end_comment))  # fmt: skip
        return found

    async def standing(self) -> list[Standing]:
        found = [Standing(kind=name, days=0, due=0)
                 for name, days in (("receipts", self._keeps.receipt_days), ("comments", self._keeps.comment_days))
                 if not days]  # fmt: skip
        for kind in self._kinds():
            query = f"SELECT count(*) FROM ({kind.rows}) AS due"
            due = await self._ledger.read(
                lambda run, query=query, kind=kind: run.execute(query, (kind.before, 1 << 62)).fetchone()[0]  # type: ignore[misc]
            )
            found.append(Standing(kind=kind.name, days=kind.days, due=int(due)))
        return sorted(found, key=lambda one: one.kind)

    async def sweep(self, rest: Callable[[], Awaitable[None]]) -> dict[str, int]:
        """End all that is over; how many rows of each kind were ended. `rest`: between two pieces."""
        done: dict[str, int] = {}
        for kind in self._kinds():
            done[kind.name] = 0
            while ended := await self._piece(kind):
                done[kind.name] += ended
                await rest()
        return done

    async def _piece(self, kind: Kind) -> int:
        """Looked for beside the writer: it is not asked where there is nothing."""

        def look(run: Run) -> list[tuple[object, ...]]:
            return [tuple(row) for row in run.execute(kind.rows, (kind.before, PIECE)).fetchall()]

        def end(run: Run) -> int:
            rows = look(run)  # again: by now it may be another's
            for row in rows:
                kind.end(run, row)
            return len(rows)

        if not await self._ledger.read(look):
            return 0
        return await self._ledger.write(Quiet(end))


def _end_answer(run: Run, row: tuple[object, ...]) -> None:
    run.execute("DELETE FROM kept_answer WHERE name = ?", row)


def _end_response(run: Run, row: tuple[object, ...]) -> None:
    delete_response(run, *row)  # type: ignore[arg-type]


def _end_parts(run: Run, row: tuple[object, ...]) -> None:
    cost, detail = run.execute("SELECT cost, detail FROM request WHERE id = ?", row).fetchone()
    run.execute("UPDATE request SET detail = ? WHERE id = ?", (retired(detail, cost), *row))
    run.execute("DELETE FROM attempt WHERE request_id = ?", row)


def _end_comment(run: Run, row: tuple[object, ...]) -> None:
    """The score stays: it is in the sums."""
    run.execute("UPDATE feedback SET comment = '' WHERE request_id = ?", row)
