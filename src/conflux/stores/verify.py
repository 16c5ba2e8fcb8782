"""Every invariant of the books, counted.

Law: reads one snapshot of the file and nothing else, so it runs beside a live server and finds what is, not what a
process remembers. Each kind of drift has its own count; all must be 0.
"""

import sqlite3
from pathlib import Path

import msgspec

from conflux.neutral.errors import StoreError
from conflux.stores.booking import Account
from conflux.stores.budgets import span_of
from conflux.stores.migrate import HEAD, revision_of
from conflux.stores.projections import figures, stored
from conflux.stores.sqlite_file import check_whole, connect_reader, unreadable
from conflux.stores.usage_rows import drift


class Report(msgspec.Struct, frozen=True, kw_only=True):
    checked_requests: int
    checked_entries: int
    checked_open: int
    checked_budgets: int
    damaged: int  # what the database itself finds wrong with its pages and indexes, up to a hundred
    dangling: int  # rows that refer to rows that are not there
    unbalanced: int  # transactions whose entries do not sum to 0
    misbooked: int  # requests whose entries are not those of their receipt
    unaccounted: int  # transactions that belong to no request
    open_and_ended: int  # requests that are both
    charged_unstarted: int  # charged, and nothing was delivered
    charged_over_hold: int
    misstated: int  # receipts whose lines do not add up to their cost
    unreceipted: int  # entries or attempts without a receipt, or a receipt without its attempts
    budgets_drifted: int  # windows that are not what entries and holds say
    budgets_overrun: int  # windows above their cap, that no admin lowered
    usage_drifted: int  # sums by day that are not what the receipts say
    nano_usd_drift: int  # by how much the windows are wrong, added up

    @property
    def ok(self) -> bool:
        return not any(count for name, count in self.counts().items() if not name.startswith("checked"))

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


_SUM = "sum(CASE account WHEN {} THEN amount ELSE 0 END)"
_SUMS = ", ".join(f"{_SUM.format(one.value)} AS {one.name.lower()}" for one in Account)

# One pass over the entries in the order of their key, and one look-up in `request` for each transaction.
_TRANSACTIONS = f"""
    SELECT
        count(*),
        coalesce(sum(legs), 0),
        coalesce(sum(total <> 0), 0),
        coalesce(sum(request.id IS NULL), 0),
        coalesce(sum(request.id IS NOT NULL AND (
            customer <> -paid OR party <> key_id OR revenue <> paid + owed_variance
            OR sums.variance <> -owed_variance OR sums.provider_cost <> -owed_provider
            OR provider_payable <> owed_provider
        )), 0)
    FROM (
        SELECT tx, count(*) AS legs, sum(amount) AS total, {_SUMS},
            max(CASE account WHEN {Account.CUSTOMER.value} THEN party END) AS party
        FROM entry GROUP BY tx
    ) AS sums
    LEFT JOIN (
        SELECT id, key_id, CASE simulated WHEN 1 THEN 0 ELSE cost END AS paid,
            CASE simulated WHEN 1 THEN 0 ELSE variance END AS owed_variance,
            CASE simulated WHEN 1 THEN 0 ELSE provider_cost END AS owed_provider
        FROM request
    ) AS request ON request.id = tx
"""

_REQUESTS = """
    SELECT
        count(*),
        coalesce(sum(cost > 0 AND started = 0), 0),
        coalesce(sum(cost > held AND simulated = 0), 0),
        coalesce(sum(simulated = 0 AND (cost > 0 OR variance > 0 OR provider_cost > 0)
            AND NOT EXISTS (SELECT 1 FROM entry WHERE tx = id)), 0),
        coalesce(sum(cost <> (SELECT coalesce(sum(json_extract(value, '$[3]')), 0) FROM json_each(detail, '$[0]'))), 0),
        coalesce(sum(json_array_length(detail, '$[1]') <> (SELECT count(*) FROM attempt WHERE request_id = id)), 0)
    FROM request
"""

_OPEN_AND_ENDED = "SELECT count(*) FROM hold WHERE EXISTS (SELECT 1 FROM request WHERE id = request_id)"
_STRAY_ATTEMPTS = "SELECT count(DISTINCT request_id) FROM attempt WHERE request_id NOT IN (SELECT id FROM request)"
_OVERRUN = """
    SELECT period, start, lowered_at FROM budget_window JOIN budget ON budget.id = budget_id
    WHERE posted + held > cap
"""


def verify(path: Path) -> Report:
    """Raises StoreError where the file cannot be read or is of another version."""
    if not path.exists():
        raise StoreError(f"there is no database at {path}")
    connection = None
    try:
        connection = connect_reader(path)
        check_whole(path)
        if revision_of(connection) != HEAD:
            raise StoreError(f"{path} has another schema than this version of Conflux: start `conflux serve` once")
        return examine(connection)
    except sqlite3.Error as error:
        raise unreadable(path, str(error)) from error
    finally:
        if connection is not None:
            connection.close()


def examine(run: sqlite3.Connection) -> Report:
    run.execute("BEGIN")
    try:
        return _examine(run)
    finally:
        run.execute("COMMIT")


def _examine(run: sqlite3.Connection) -> Report:
    damaged = sum(row[0] != "ok" for row in run.execute("PRAGMA quick_check(100)"))
    if damaged:  # what such pages say of money means nothing
        return Report(**{**dict.fromkeys(Report.__struct_fields__, 0), "damaged": damaged})
    _, entries, unbalanced, unaccounted, misbooked = run.execute(_TRANSACTIONS).fetchone()
    requests, unstarted, over_hold, unbooked, misstated, attempts = run.execute(_REQUESTS).fetchone()
    right, found = figures(run), stored(run)
    gaps = [
        [a - b for a, b in zip(right.get(one, (0, 0)), found.get(one, (0, 0)), strict=True)]
        for one in right.keys() | found.keys()
    ]
    return Report(
        checked_requests=requests,
        checked_entries=entries,
        checked_open=_count(run, "SELECT count(*) FROM hold"),
        checked_budgets=_count(run, "SELECT count(*) FROM budget"),
        damaged=damaged,
        dangling=len(run.execute("PRAGMA foreign_key_check").fetchall()),
        unbalanced=unbalanced,
        misbooked=misbooked + unbooked,
        unaccounted=unaccounted,
        open_and_ended=_count(run, _OPEN_AND_ENDED),
        charged_unstarted=unstarted,
        charged_over_hold=over_hold,
        misstated=misstated,
        unreceipted=attempts + _count(run, _STRAY_ATTEMPTS),
        budgets_drifted=sum(any(gap) for gap in gaps),
        budgets_overrun=sum(
            lowered is None or start > span_of(period, lowered).start
            for period, start, lowered in run.execute(_OVERRUN).fetchall()
        ),
        usage_drifted=drift(run),
        nano_usd_drift=sum(abs(one) for gap in gaps for one in gap),
    )


def _count(run: sqlite3.Connection, query: str) -> int:
    return int(run.execute(query).fetchone()[0])
