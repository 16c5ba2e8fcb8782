"""Every invariant of the books, counted.

Law: reads one snapshot of the database and nothing else, so it runs beside a live server and finds what is, not what a
process remembers. Each kind of drift has its own count; all must be 0. How the snapshot is had is the database's own.
"""

from typing import NamedTuple

import msgspec

from conflux.stores.booking import Account
from conflux.stores.budgets import span_of
from conflux.stores.credit_rows import credits_drift
from conflux.stores.projections import figures, stored
from conflux.stores.sql import Run
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
    credits_drifted: int  # grants whose rest is not what their entries say, or that are held beyond it
    claims_stray: int  # of credits, plans or kept answers, without their open or ended request
    usage_drifted: int  # sums by day that are not what the receipts say
    nano_usd_drift: int  # by how much the windows are wrong, added up

    @property
    def ok(self) -> bool:
        return not any(count for name, count in self.counts().items() if not name.startswith("checked"))

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


_SUM = "sum(CASE account WHEN {} THEN amount ELSE 0 END)"
_SUMS = ", ".join(f"{_SUM.format(one.value)} AS {one.name.lower()}" for one in Account)

# What a row of `posting` says of each account, as its four entries would.
_POSTED = {Account.CUSTOMER: "-paid", Account.REVENUE: "paid", Account.PROVIDER_COST: "-owed",
           Account.PROVIDER_PAYABLE: "owed"}  # fmt: skip
_POSTINGS = ", ".join(_POSTED.get(one, "0") for one in Account)
_TOGETHER = ", ".join(f"sum({name}) AS {name}" for name in ("legs", "total", *(one.name.lower() for one in Account)))

# One look-up in `request` for each transaction.
_TRANSACTIONS = f"""
    SELECT
        count(*),
        coalesce(sum(legs), 0),
        count(*) FILTER (WHERE total <> 0 OR credits + credits_earned + credits_issued <> 0),
        count(*) FILTER (WHERE request.id IS NULL AND tx > 0),
        count(*) FILTER (WHERE request.id IS NOT NULL AND (
            customer <> -paid OR party <> key_id OR revenue <> paid + owed_variance
            OR sums.variance <> -owed_variance OR sums.provider_cost <> -owed_provider
            OR provider_payable <> owed_provider
            OR refunded < 0 OR refunded > paid OR refunds <> -refunded OR credits_earned <> coalesce(spent, 0)
        ))
    FROM (
        SELECT tx, {_TOGETHER}, max(party) AS party
        FROM (
            SELECT tx, count(*) AS legs, sum(amount) AS total, {_SUMS},
                max(CASE account WHEN {Account.CUSTOMER.value} THEN party END) AS party
            FROM entry GROUP BY tx
            UNION ALL SELECT tx, 4, 0, {_POSTINGS}, party FROM posting
        ) AS parts GROUP BY tx
    ) AS sums
    LEFT JOIN (
        SELECT id, key_id, CASE simulated WHEN 1 THEN 0 ELSE cost END AS paid,
            CASE simulated WHEN 1 THEN 0 ELSE variance END AS owed_variance,
            CASE simulated WHEN 1 THEN 0 ELSE provider_cost END AS owed_provider
        FROM request
    ) AS request ON request.id = tx
    LEFT JOIN (SELECT request_id, taken.credits AS spent FROM taken) AS taken ON taken.request_id = tx
"""

_REQUESTS = """
    SELECT
        count(*),
        count(*) FILTER (WHERE cost > 0 AND started = 0),
        count(*) FILTER (WHERE cost > held AND simulated = 0),
        count(*) FILTER (WHERE simulated = 0 AND (cost > 0 OR variance > 0 OR provider_cost > 0)
            AND NOT EXISTS (SELECT 1 FROM posting WHERE tx = id) AND NOT EXISTS (SELECT 1 FROM entry WHERE tx = id)),
        count(*) FILTER (WHERE cost <> {amount}),
        count(*) FILTER (WHERE {calls} <> (SELECT count(*) FROM attempt WHERE request_id = id))
    FROM request
"""


class Details(NamedTuple):
    """How a database reads `request.detail`; see rows.py for what is in it."""

    amount: str  # the sum of the lines
    calls: str  # how many there are


# What a request took of credits stands on its receipt; see also _TRANSACTIONS.
_STRAY = (
    "SELECT count(*) FROM claim WHERE NOT EXISTS (SELECT 1 FROM hold WHERE hold.request_id = claim.request_id)",
    "SELECT count(*) FROM taken WHERE NOT EXISTS (SELECT 1 FROM request WHERE id = request_id AND"
    " (taken.credits = 0 OR taken.credits = request.credits) AND started = 1 AND simulated = 0)",
    "SELECT count(*) FROM kept_answer WHERE NOT EXISTS (SELECT 1 FROM hold WHERE hold.request_id ="
    " kept_answer.request_id) AND NOT EXISTS (SELECT 1 FROM request WHERE id = kept_answer.request_id)",
)
_OPEN_AND_ENDED = "SELECT count(*) FROM hold WHERE EXISTS (SELECT 1 FROM request WHERE id = request_id)"
_STRAY_ATTEMPTS = "SELECT count(DISTINCT request_id) FROM attempt WHERE request_id NOT IN (SELECT id FROM request)"
_OVERRUN = """
    SELECT period, start, lowered_at FROM budget_window JOIN budget ON budget.id = budget_id
    WHERE posted + held > cap
"""


def nothing_but(**counts: int) -> Report:
    """Where nothing else could be looked at."""
    return Report(**{**dict.fromkeys(Report.__struct_fields__, 0), **counts})


def examine(run: Run, details: Details, dangling: int = 0) -> Report:
    """Inside one snapshot."""
    _, entries, unbalanced, unaccounted, misbooked = run.execute(_TRANSACTIONS).fetchone()
    requests, unstarted, over_hold, unbooked, misstated, attempts = run.execute(
        _REQUESTS.format(**details._asdict())
    ).fetchone()
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
        damaged=0,
        dangling=dangling,
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
        credits_drifted=credits_drift(run),
        claims_stray=sum(_count(run, query) for query in _STRAY),
        usage_drifted=drift(run),
        nano_usd_drift=sum(abs(one) for gap in gaps for one in gap),
    )


def _count(run: Run, query: str) -> int:
    return int(run.execute(query).fetchone()[0])
