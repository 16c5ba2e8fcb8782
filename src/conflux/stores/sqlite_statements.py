"""The ledger's statements for SQLite, many rows each.

Law: a batch's rows of one table go in as few statements as powers of two allow. One row a statement costs twice as
much, most of it on the way in and out of SQLite. What nearly every row says alike stands in the statement: each value
that is handed over costs, and each NULL five times as much.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from conflux.stores.rows import ATTEMPT, ENTRY, HOLD, POSTING, REQUEST, WINDOW

_MOST = 64
_SIZES = tuple(1 << n for n in range(_MOST.bit_length()))


class Many:
    """A statement that takes any number of rows."""

    __slots__ = ("_sql", "width")

    def __init__(self, head: str, row: str, tail: str = "") -> None:
        self.width = row.count("?")
        self._sql = {size: f"{head}{','.join([row] * size)}{tail}" for size in _SIZES}

    def run(self, connection: sqlite3.Connection, flat: list[Any]) -> int:
        """How many rows it changed. `flat` holds the values of all rows one after the other."""
        width, at, changed = self.width, 0, 0
        left = len(flat) // width
        while left:
            size = _MOST if left >= _MOST else 1 << (left.bit_length() - 1)
            changed += connection.execute(self._sql[size], flat[at : at + size * width]).rowcount
            at += size * width
            left -= size
        return changed


def _insert(table: str, columns: Sequence[str], fixed: Mapping[str, str] = MappingProxyType({})) -> Many:
    row = ",".join(fixed.get(one, "?") for one in columns)
    return Many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ", f"({row})")


class Usual:
    """Rows that nearly always say 0 or NULL in some columns. What a batch says alike is found column by column: row by
    row it would cost what it saves."""

    __slots__ = ("_full", "_places", "_short", "_width")

    def __init__(self, table: str, columns: Sequence[str], fixed: Mapping[str, str]) -> None:
        self._full, self._short = _insert(table, columns), _insert(table, columns, fixed)
        self._places = sorted(map(columns.index, fixed), reverse=True)
        self._width = len(columns)

    def run(self, connection: sqlite3.Connection, flat: list[Any]) -> int:
        """As `Many` does; `flat` stays as it is."""
        width = self._width
        if any(any(flat[place::width]) for place in self._places):
            return self._full.run(connection, flat)
        flat = flat.copy()
        for place in self._places:
            del flat[place::width]
            width -= 1
        return self._short.run(connection, flat)


NEW_HOLD = {"simulated": "0", "started": "0", "checkpoint": "0", "usage": "NULL", "tags": "NULL"}
ADD_HOLDS = Usual("hold", HOLD, NEW_HOLD)
SELDOM = dict.fromkeys(("simulated", "variance", "credits", "cache_write_1h", "audio", "image", "search"), "0")
ADD_REQUESTS = Usual("request", REQUEST, SELDOM)
ADD_ATTEMPTS = _insert("attempt", ATTEMPT)
ADD_ENTRIES = _insert("entry", ENTRY)
ADD_POSTINGS = _insert("posting", POSTING)
START_HOLDS = Many("UPDATE hold SET started = 1 WHERE request_id IN (", "?", ")")
END_HOLDS = Many("DELETE FROM hold WHERE request_id IN (", "?", ")")
MARK_HOLD = "UPDATE hold SET checkpoint = ?, usage = ? WHERE request_id = ?"
ADD_DUE = _insert("usage_due", ("id",))
ADD_WINDOWS = _insert("budget_window", WINDOW)
# Held to what the mirror took for the old figures: a row changed behind our back is found out, never overwritten.
MOVE_WINDOW = (
    "UPDATE budget_window SET posted = ?, held = ? WHERE budget_id = ? AND start = ? AND posted = ? AND held = ?"
)
