"""The book beside a PostgreSQL database, which other processes write too.

Law: nothing of a budget is remembered from batch to batch but which budgets there are; what stands in their windows is
read under lock in the batch's own transaction. Holds are remembered: those of our epoch are ours alone, and a batch
begins by making sure that the epoch still is.
"""

from collections.abc import Callable, Iterable
from typing import Any

from conflux.neutral.errors import IdTaken, StoreError
from conflux.neutral.ledger import Reservation, request_id_text
from conflux.stores.book import MOST_CALLERS, Book, Budget, Step, Window, check_all
from conflux.stores.booking import Hold
from conflux.stores.budgets import Span, span_of
from conflux.stores.founding import make_known
from conflux.stores.postgres_run import PostgresRun
from conflux.stores.postgres_statements import ADD_WINDOWS, BEGIN_BATCH, FENCE, LOCK, WRITE, columns
from conflux.stores.rows import ATTEMPT, ENTRY, HOLD, OPEN_HOLDS, POSTING, REQUEST, hold_of, usage_text
from conflux.stores.usage_rows import DAY_ROW, MODEL_ROW, TAG_ROW

_STARTED, _CHECKPOINT, _USAGE = HOLD.index("started"), HOLD.index("checkpoint"), HOLD.index("usage")

Sighting = tuple[int, int, int]  # an owner's epoch, beat and batch


class Fenced(Exception):
    """Others took us for dead, and ended what was ours."""


class PostgresBook(Book):
    """Everything that touches the database runs in a greenlet; see postgres_run.py."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now, shared=True)
        self._connection: PostgresRun
        self.batch = 0  # the last one that was committed
        self._changes = -1  # the state of the books that our budgets were read in
        self._windows: dict[tuple[int, int], Window] = {}

    # -- the batch's transaction

    def begin(self, batch: Iterable[tuple[Step, Any, Any]]) -> None:
        """Lock what the batch will ask for. Raises Fenced."""
        self._clear()
        run = self._connection
        run.script(BEGIN_BATCH)
        row = run.execute(FENCE, (self.batch + 1, self.epoch)).fetchone()
        if row is None:
            raise Fenced
        if row[0] != self._changes or len(self._payers) > MOST_CALLERS:
            self.forget_budgets()
            self._changes = row[0]
        batch = list(batch)
        orders, numbers = self._asked(batch)
        self._windows = {}
        self._age += 1
        self._taken = set()
        spans = self._spans(orders)
        if spans or numbers:
            self._lock(spans, numbers)
            missing = {one: span for one, span in spans.items() if one not in self._windows}
            if missing:
                run.execute(ADD_WINDOWS, _keys(missing))
                self._lock(missing, [])
        ending = [self.holds[word.request_id] for step, word, _ in batch if step == self.settle
                  and word.request_id in self.holds]  # fmt: skip
        self._claims.begin(run, orders, ending)
        self._answers.begin(run, [word.once for step, word, _ in batch if step == self.reserve and word.once])

    def _asked(self, batch: Iterable[tuple[Step, Any, Any]]) -> tuple[list[Reservation], list[int]]:
        orders, numbers = [], []
        for step, word, _ in batch:
            if step == self.reserve:
                orders.append(word)
                numbers.append(word.request_id)
            elif step == self.settle and word.request_id in self.holds:
                orders.append(self.holds[word.request_id].order)
        return [one for one in orders if not one.simulated], numbers

    def _spans(self, orders: list[Reservation]) -> dict[tuple[int, int], tuple[Budget, Span]]:
        found = {}
        for order in orders:
            try:
                budgets = self._payer(order).budgets
            except StoreError:
                continue  # it will be said again when the order is decided on
            for budget in budgets:
                span = span_of(budget.period, order.created)
                found[budget.id, span.start] = (budget, span)
        return found

    def _lock(self, spans: dict[tuple[int, int], tuple[Budget, Span]], numbers: list[int]) -> None:
        for row in self._connection.execute(LOCK, (*_keys(spans), numbers, numbers)):
            budget, start, posted, held = row
            if start is None:
                self._taken.add(budget)
            else:
                self._windows[budget, start] = Window(
                    spans[budget, start][0], start, spans[budget, start][1].end, (posted, held)
                )

    def _check_unused(self, number: int) -> None:
        if number in self._taken or number in self.holds:
            raise IdTaken(f"the request id {request_id_text(number)} is taken")

    def _window(self, budget: Budget, moment: int) -> Window:
        return self._windows[budget.id, span_of(budget.period, moment).start]

    def write(self) -> bool:
        """Write the batch's rows into its transaction. False where there is nothing to write."""
        if not (self._new_holds or self._begun or self._marks or self._gone):
            return False
        gone = set(self._gone)
        holds, changed = self._holds_to_write(gone)
        fresh = set(self._new_holds[:: len(HOLD)])
        left = [number for number in self._gone if number not in fresh]
        moved = [
            value
            for one in self._touched
            if one.posted != one.was_posted or one.held != one.was_held
            for value in (one.budget, one.start, one.posted, one.held)
        ]
        days = self._used.day_rows()
        counts = self._connection.execute(
            WRITE,
            (
                *columns(self._requests, REQUEST),
                *columns(self._attempts, ATTEMPT),
                *columns(self._postings, POSTING),
                *columns(self._entries, ENTRY),
                # Sorted, since other processes add to the same rows.
                *columns([value for row in sorted(days) for value in row], DAY_ROW),
                *columns([value for row in sorted(self._used.model_rows(days)) for value in row], MODEL_ROW),
                *columns([value for row in sorted(self._used.tag_rows()) for value in row], TAG_ROW),
                *columns(holds, HOLD),
                *columns(changed, ("id", "started", "checkpoint", "usage")),
                left,
                *columns(moved, ("budget_id", "start", "posted", "held")),
            ),
        ).fetchone()
        check_all(counts[0], len(changed) // 4, "hold")
        check_all(counts[1], len(left), "ended hold")
        check_all(counts[2], len(moved) // 4, "budget window")
        check_all(self._claims.write(self._connection), 0, "claim")
        self._answers.write(self._connection)
        self._clear()
        return True

    def _holds_to_write(self, gone: set[int]) -> tuple[list[Any], list[Any]]:
        """New holds as they now are, and what changed of older ones: one row is written once."""
        changes: dict[int, tuple[int, int | None, str | None]] = {number: (1, None, None) for number in self._begun}
        for number, mark in self._marks.items():
            changes[number] = (1 if number in changes else 0, mark.amount, usage_text(mark.usage))
        holds: list[Any] = []
        width = len(HOLD)
        for at in range(0, len(self._new_holds), width):
            row = self._new_holds[at : at + width]
            change = changes.pop(row[0], None)
            if change is not None:
                row[_STARTED] = change[0]
                if change[1] is not None:
                    row[_CHECKPOINT], row[_USAGE] = change[1], change[2]
            if row[0] not in gone:
                holds += row
        return holds, [value for number, one in changes.items() if number not in gone for value in (number, *one)]

    # -- between batches

    def claim(self, run: PostgresRun) -> None:
        """A new epoch of our own; the holds of the last are not ours any more."""
        run.script("BEGIN")
        self.epoch = make_known(run, int(self._now() * 1000))
        run.execute("INSERT INTO owner (epoch, beat, batch, gone) VALUES (?, 0, 0, 0)", (self.epoch,))
        run.script("COMMIT")
        self.batch = 0

    def read(self, run: PostgresRun) -> int | None:
        """Take the database's word for everything. The number of our last batch, None where we were taken for dead."""
        self._connection = run
        self._clear()
        self.forget_budgets()
        self._changes = -1
        # With a lock: a batch whose end we do not know may still be ending.
        row = run.execute("SELECT batch FROM owner WHERE epoch = ? FOR UPDATE", (self.epoch,)).fetchone()
        if row is None:
            self.claim(run)
            self.holds = {}
            return None
        self.batch = row[0]
        rows = run.execute(f"{OPEN_HOLDS} WHERE owner_epoch = ?", (self.epoch,)).fetchall()
        self.holds = {found[0]: hold_of(found) for found in rows}
        return self.batch

    def adopt(self, dead: Iterable[Sighting]) -> list[Hold]:
        """Make ours what those left open who have not moved since they were seen; in a transaction. An owner that has
        its row locked is at work, and not dead."""
        run = self._connection
        still = "SELECT epoch FROM owner WHERE epoch = ? AND beat = ? AND batch = ? FOR UPDATE SKIP LOCKED"
        for one in dead:
            if run.execute(still, one).fetchone() is not None:
                run.execute("DELETE FROM owner WHERE epoch = ?", (one[0],))
        orphans = "UPDATE hold SET owner_epoch = ? WHERE owner_epoch NOT IN (SELECT epoch FROM owner)"
        run.execute(orphans, (self.epoch,))
        rows = run.execute(f"{OPEN_HOLDS} WHERE owner_epoch = ?", (self.epoch,)).fetchall()
        return [hold_of(row) for row in rows if row[0] not in self.holds]

    def leave(self) -> None:
        """Nobody need wait for our lease: what is left open is anybody's."""
        self._connection.execute("UPDATE owner SET gone = 1 WHERE epoch = ?", (self.epoch,))
        empty = "NOT EXISTS (SELECT 1 FROM hold WHERE owner_epoch = epoch)"
        self._connection.execute(f"DELETE FROM owner WHERE epoch = ? AND {empty}", (self.epoch,))


def _keys(spans: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    keys = sorted(spans)
    return [budget for budget, _ in keys], [start for _, start in keys]
