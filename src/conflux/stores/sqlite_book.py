"""The book beside a SQLite file: it remembers the windows too.

Law: in a batch's transaction every budget row must still be as remembered. One process owns the file (data_dir.py holds
the lock), so nobody else changes it meanwhile.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from conflux.neutral.errors import IdTaken
from conflux.neutral.ledger import request_id_text
from conflux.stores.book import MOST_CALLERS, Book, Budget, Window, check_all
from conflux.stores.booking import Hold
from conflux.stores.budgets import span_of
from conflux.stores.rows import OPEN_HOLDS, hold_of, usage_text
from conflux.stores.sqlite_statements import (
    ADD_ATTEMPTS,
    ADD_DUE,
    ADD_ENTRIES,
    ADD_HOLDS,
    ADD_POSTINGS,
    ADD_REQUESTS,
    ADD_WINDOWS,
    END_HOLDS,
    MARK_HOLD,
    MOVE_WINDOW,
    START_HOLDS,
)
from conflux.stores.usage_rows import ADD_DAY, ADD_MODEL, ADD_TAG, NONE_DUE, SUM_UP, Used, is_plain

_MOST_SEEN = 20_000
_MOST_DUE = 16_384  # receipts: then they are summed up
_WINDOW = "SELECT posted, held FROM budget_window WHERE budget_id = ? AND start = ?"


class SqliteBook(Book):
    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self._connection: sqlite3.Connection
        self._unsummed = 0
        self._unsummed_rows = Used()  # the same, as far as they are remembered
        self._top = 0  # no id above it was ever used
        self._floor = 0  # every id used above it is in `_taken`

    def _clear(self) -> None:
        super()._clear()
        self._due: list[int] = []

    def _check_unused(self, number: int) -> None:
        """An id is used once; one that was refused may be tried again. Ids grow, so the file is seldom asked."""
        if number > self._top:
            self._top = number
        elif number in self._taken if number > self._floor else number in self.holds or self._ended(number) is not None:
            raise IdTaken(f"the request id {request_id_text(number)} is taken")
        if len(self._taken) >= _MOST_SEEN:
            self._taken.clear()
            self._floor = self._top

    def _count(self, row: tuple[Any, ...], tags: dict[str, str]) -> None:
        if not is_plain(row):
            self._used.add(row, tags)
            return
        self._due.append(row[0])
        self._unsummed_rows.add(row, {})
        if tags:
            self._used.add_tags(row, tags)

    def sum_up(self, run: sqlite3.Connection, least: int = _MOST_DUE) -> None:
        """In a transaction, and not on the loop's thread: it may take some milliseconds."""
        if self._unsummed < least:
            return
        run.execute("SAVEPOINT summing").close()
        try:
            if run.execute(NONE_DUE).rowcount == self._unsummed_rows.count:
                self._add_up(run, self._unsummed_rows)
            else:
                run.execute("ROLLBACK TO summing").close()
                for statement in SUM_UP:
                    run.execute(statement).close()
        except sqlite3.IntegrityError:
            # Beyond 64 bits: they stay due, and who asks adds them up.
            run.execute("ROLLBACK TO summing").close()
        run.execute("RELEASE summing").close()
        self._unsummed = 0
        self._unsummed_rows.clear()

    def count_due(self, run: sqlite3.Connection) -> None:
        """After a transaction was taken back: what it summed is due again."""
        self._unsummed = run.execute("SELECT count(*) FROM usage_due").fetchone()[0]
        self._unsummed_rows.clear()

    @staticmethod
    def _add_up(run: sqlite3.Connection, used: Used) -> None:
        if days := used.day_rows():
            run.executemany(ADD_DAY, days).close()
            run.executemany(ADD_MODEL, used.model_rows(days)).close()

    def _window(self, budget: Budget, moment: int) -> Window:
        window = budget.now
        if window is not None and window.start <= moment < window.end:
            return window
        span = span_of(budget.period, moment)
        older = budget.older.get(span.start)
        if older is not None:
            return older
        row = self._connection.execute(_WINDOW, (budget.id, span.start)).fetchone()
        found = Window(budget, span.start, span.end, row)
        if window is None:
            budget.now = found
        elif window.start < span.start:
            budget.older = {start: one for start, one in budget.older.items() if one.held or one.touched}
            self._age += 1  # nobody may go on with those that are forgotten
            budget.older[window.start] = window
            budget.now = found
        else:
            budget.older[span.start] = found
        return found

    # -- the batch's transaction

    def write(self) -> bool:
        """Open a transaction and write the batch's rows into it. False where there is nothing to write."""
        if not (self._new_holds or self._begun or self._marks or self._gone):
            return False
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        if self._new_holds:
            ADD_HOLDS.run(run, self._new_holds)
        if self._begun:
            check_all(START_HOLDS.run(run, self._begun), len(self._begun), "hold")
        if self._marks:
            marks = [(mark.amount, usage_text(mark.usage), number) for number, mark in self._marks.items()]
            check_all(run.executemany(MARK_HOLD, marks).rowcount, len(marks), "hold")
        if self._gone:
            ADD_REQUESTS.run(run, self._requests)
            ADD_ATTEMPTS.run(run, self._attempts)
            ADD_POSTINGS.run(run, self._postings)
            ADD_ENTRIES.run(run, self._entries)
            check_all(END_HOLDS.run(run, self._gone), len(self._gone), "hold")
            ADD_DUE.run(run, self._due)
            self._unsummed += len(self._due)
            self._add_up(run, self._used)
            if tagged := self._used.tag_rows():
                run.executemany(ADD_TAG, tagged).close()
        if self._touched:
            self._write_windows(run)
        check_all(self._claims.write(run), 0, "claim")
        self._answers.write(run)
        self._clear()
        if len(self._payers) > MOST_CALLERS or self._claims.many:
            self.forget_budgets()
        return True

    def _write_windows(self, run: sqlite3.Connection) -> None:
        new: list[Any] = []
        moved: list[tuple[int, ...]] = []
        for one in self._touched:
            one.touched = False
            if not one.stored:
                one.stored = True
                new += (one.budget, one.start, one.posted, one.held)
            elif one.posted != one.was_posted or one.held != one.was_held:
                moved.append((one.posted, one.held, one.budget, one.start, one.was_posted, one.was_held))
        if new:
            ADD_WINDOWS.run(run, new)
        if moved:
            check_all(run.executemany(MOVE_WINDOW, moved).rowcount, len(moved), "budget window")

    def read(self, connection: sqlite3.Connection) -> None:
        """Take the file's word for everything. Holds of other processes are recovery's business."""
        self._connection = connection
        self._clear()
        self.forget_budgets()
        self.epoch = connection.execute("SELECT owner_epoch FROM meta").fetchone()[0]
        rows = connection.execute(f"{OPEN_HOLDS} WHERE owner_epoch = ?", (self.epoch,)).fetchall()
        self.holds = {row[0]: hold_of(row) for row in rows}
        self.count_due(connection)
        top = "SELECT max((SELECT coalesce(max(id), 0) FROM request), (SELECT coalesce(max(request_id), 0) FROM hold))"
        self._top = self._floor = max(self._top, connection.execute(top).fetchone()[0])
        self._taken.clear()

    def adopt_orphans(self) -> list[Hold]:
        """The holds of processes that are gone: from now on ours to end."""
        rows = self._connection.execute(f"{OPEN_HOLDS} WHERE owner_epoch < ?", (self.epoch,)).fetchall()
        found = [hold_of(row) for row in rows]
        self.holds.update((hold.order.request_id, hold) for hold in found)
        return found
