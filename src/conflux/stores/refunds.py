"""Money given back: entries beside those of the receipt, once, and never more than was paid.

Law: the receipt stays as it was; what was given back stands beside it. Budgets and sums change in the same transaction,
in the windows of the request, so they say what was paid in the end. Credits are not money: grant them instead.
"""

from typing import NamedTuple

from conflux.neutral.errors import ConfigError, NoSuch, StoreError
from conflux.neutral.ledger import request_id_text
from conflux.neutral.money import usd
from conflux.stores.book import BUDGETS
from conflux.stores.booking import Account
from conflux.stores.budgets import DAY, span_of
from conflux.stores.rows import RECEIPT, tags_of, tags_text
from conflux.stores.sql import Run
from conflux.stores.usage_rows import NAME, OF_MODEL

_FACTS = (
    "SELECT key_id, user_id, workspace_id, storefront, created, requested_model, coalesce(served_model, ''), simulated,"
    " cost FROM request WHERE id = ?"
)
_GIVEN = f"SELECT amount FROM entry WHERE tx = ? AND account = {Account.REFUNDED.value}"
_ENTRY = "INSERT INTO entry (tx, account, party, amount) VALUES (?, ?, ?, ?)"
_LESS = "UPDATE budget_window SET posted = posted - ? WHERE budget_id = ? AND start = ?"


class Refunded(NamedTuple):
    amount: int  # nano-USD
    cost: int  # of the receipt


def refund(run: Run, number: int, amount: int | None) -> Refunded:
    """`amount`: None gives all of it back. Raises NoSuch, and ConfigError for what cannot be given back."""
    row = run.execute(_FACTS, (number,)).fetchone()
    name = request_id_text(number)
    if row is None:
        raise NoSuch([f"there is no receipt {name}"])
    key, user, workspace, storefront, created, model, served, simulated, cost = row
    amount = cost if amount is None else amount
    if simulated or not cost:
        raise ConfigError([f"{name}: nothing was paid, so nothing can be given back"])
    if run.execute(_GIVEN, (number,)).fetchone() is not None:
        raise ConfigError([f"{name}: was given back already; a receipt is refunded once"])
    if not 0 < amount <= cost:
        raise ConfigError([f"{name}: give back more than 0, and at most the {usd(cost)} USD that were paid"])
    run.execute(_ENTRY, (number, Account.REFUNDED.value, key, amount))
    run.execute(_ENTRY, (number, Account.REFUNDS.value, 0, -amount))
    for budget, _, _, period, _ in run.execute(BUDGETS, (key, user, workspace, storefront)).fetchall():
        run.execute(_LESS, (amount, budget, span_of(period, created).start))
    place = (key, created // DAY, storefront, model, served, simulated, user, workspace)
    _lessen(run, "usage_day", NAME, place, amount)
    _lessen(run, "usage_model", OF_MODEL, place[1:6], amount)
    tags = tags_of(run.execute(RECEIPT, (number,)).fetchone())
    if tags:
        _lessen(run, "usage_tag", (*NAME, "tags"), (*place, tags_text(tags)), amount)
    return Refunded(amount, cost)


def _lessen(run: Run, table: str, names: tuple[str, ...], place: tuple[object, ...], amount: int) -> None:
    where = " AND ".join(f"{one} = ?" for one in names)
    if run.execute(f"UPDATE {table} SET cost = cost - ? WHERE {where}", (amount, *place)).rowcount != 1:
        raise StoreError(f"{table} does not count this receipt: `conflux ledger verify` says what is wrong")
