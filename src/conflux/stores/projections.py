"""What the budgets must say, computed from entries and open holds alone.

Law: the one place that knows how a projection follows from the books. Checking compares with it, rebuilding writes it,
a new budget begins with it. Read row by row in the order of the keys, summed as exact integers.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from conflux.stores.booking import Account
from conflux.stores.budgets import DAY, span_of
from conflux.stores.credit_rows import rebuild_credits
from conflux.stores.sql import Run
from conflux.stores.usage_rows import rebuild_usage

Figures = dict[tuple[int, int], list[int]]  # (budget, start of the window) -> [posted, held]

_DIMENSIONS = {"key": "key_id", "user": "user_id", "workspace": "workspace_id"}


class _Sum(NamedTuple):
    """Amounts of one day that count against the same budgets."""

    day: int
    key: int
    user: int
    workspace: int
    storefront: str
    amount: int

    def owner(self, kind: str) -> int | str:
        return self.storefront if kind == "storefront" else int(getattr(self, kind))


_GROUP = "created / 86400000, key_id, user_id, workspace_id, storefront"


def _posted(run: Run, where: str, values: tuple[int | str, ...]) -> Iterator[_Sum]:
    paid = (
        f"SELECT {_GROUP}, sum(paid) FROM request JOIN posting ON tx = request.id WHERE {where} GROUP BY {_GROUP}",
        f"SELECT {_GROUP}, -sum(amount) FROM request JOIN entry ON tx = request.id"
        f" AND account IN ({Account.CUSTOMER.value}, {Account.REFUNDED.value}) WHERE {where} GROUP BY {_GROUP}",
    )
    for query in paid:
        yield from map(_Sum._make, run.execute(query, values))


def _held(run: Run, where: str, values: tuple[int | str, ...]) -> Iterator[_Sum]:
    return map(
        _Sum._make, run.execute(f"SELECT {_GROUP}, sum(amount) FROM hold WHERE {where} GROUP BY {_GROUP}", values)
    )


def _owners(run: Run) -> dict[tuple[str, int | str], list[tuple[int, str]]]:
    """Budgets by what they belong to: (kind, id or name) -> [(budget, period)]."""
    query = (
        "SELECT budget.id, kind, scope_id, storefront.name, period FROM budget"
        " LEFT JOIN storefront ON kind = 'storefront' AND storefront.id = scope_id"
    )
    found: dict[tuple[str, int | str], list[tuple[int, str]]] = defaultdict(list)
    for budget, kind, owner, storefront, period in run.execute(query):
        found[kind, storefront if kind == "storefront" else owner].append((budget, period))
    return found


def figures(run: Run) -> Figures:
    """What every budget window should say; windows with nothing in them are left out."""
    owners = _owners(run)
    kinds = {kind for kind, _ in owners}
    found: Figures = defaultdict(lambda: [0, 0])
    for place, sums in enumerate((_posted(run, "true", ()), _held(run, "true", ()))):
        for one in sums:
            for kind in kinds:
                for budget, period in owners.get((kind, one.owner(kind)), ()):
                    found[budget, span_of(period, one.day * DAY).start][place] += one.amount
    return {window: pair for window, pair in found.items() if any(pair)}


def figures_of(run: Run, kind: str, owner: int | str, period: str) -> dict[int, list[int]]:
    """The same for one budget: start of the window -> [posted, held]."""
    where = f"{_DIMENSIONS.get(kind, 'storefront')} = ?"
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for place, sums in enumerate((_posted(run, where, (owner,)), _held(run, where, (owner,)))):
        for one in sums:
            found[span_of(period, one.day * DAY).start][place] += one.amount
    return found


STORED = "SELECT budget_id, start, posted, held FROM budget_window"


def stored(run: Run) -> Figures:
    return {(budget, start): [posted, held] for budget, start, posted, held in run.execute(STORED) if posted or held}


_PUT = (
    "INSERT INTO budget_window (budget_id, start, posted, held) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (budget_id, start) DO UPDATE SET posted = excluded.posted, held = excluded.held"
)


def rebuild(run: Run) -> int:
    """How many rows of all projections were wrong."""
    right, found = figures(run), stored(run)
    wrong = [window for window in right.keys() | found.keys() if right.get(window) != found.get(window)]
    for budget, start in wrong:
        posted, held = right.get((budget, start), (0, 0))
        run.execute(_PUT, (budget, start, posted, held))
    return len(wrong) + rebuild_usage(run) + rebuild_credits(run)
