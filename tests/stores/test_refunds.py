"""Twin of stores/refunds.py: on both databases, money goes back once, and all that is summed says so."""

import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.stores.receipts import Receipts
from conflux.stores.refunds import Refunded, refund
from tests.stores.books import NOON, ending, full_ending, order

BREAKAGES = [
    "INSERT INTO entry (tx, account, party, amount) SELECT max(id), 9, 1, 91 FROM request",
    "INSERT INTO entry (tx, account, party, amount) SELECT max(id), 9, 1, -1 FROM request",
]


async def paid(ledger, **rest):
    made = order(1000, tags={"team": "red"}, **rest)
    await ledger.reserve(made)
    await ledger.settle(full_ending(made.request_id))
    return made.request_id


async def give_back(ledger, number, amount=None):
    return await ledger.write(lambda run: refund(run, number, amount))


@pytest.mark.parametrize("part", [None, 40])
async def test_it_is_given_back_everywhere_at_once(books, ledger, part):
    scopes = [await ledger.set_budget(kind, owner, window, 10_000)
              for kind, owner in (("key", 1), ("user", 1), ("workspace", 1), ("storefront", "conflux"))
              for window in ("total", "month")]  # fmt: skip
    number, other = await paid(ledger), await paid(ledger)
    amount = part or 90
    assert await give_back(ledger, number, part) == Refunded(amount, 90)
    found = await ledger.receipt(number)
    assert (found.cost, found.refunded) == (90, amount)
    assert (await ledger.receipt(other)).refunded == 0
    listed = await Receipts(ledger).rows(10, None, {})
    assert {row.number: (row.cost, row.refunded) for row in listed} == {number: (90, amount), other: (90, 0)}
    assert {one.posted for one in await ledger.standing(tuple(scopes))} == {180 - amount}
    for table in ("usage_day", "usage_model", "usage_tag"):
        assert await books.one(f"SELECT sum(cost) FROM {table}") == 180 - amount
    assert books.clean()
    assert await ledger.rebuild() == 0


async def test_a_new_budget_counts_what_was_paid_in_the_end(books, ledger):
    number = await paid(ledger)
    await paid(ledger)
    await give_back(ledger, number, 40)
    scope = await ledger.set_budget("key", 1, "day", 10_000)
    assert [one.posted for one in await ledger.standing((scope,))] == [140]
    assert books.clean()


async def test_what_cannot_be_given_back_says_why(books, ledger):
    number = await paid(ledger)
    for amount in (0, -1, 91):
        with pytest.raises(ConfigError, match=r"at most the 0\.00000009 USD"):
            await give_back(ledger, number, amount)
    await give_back(ledger, number, 1)
    with pytest.raises(ConfigError, match="already"):
        await give_back(ledger, number, 1)
    with pytest.raises(NoSuch):
        await give_back(ledger, 5)
    free = order(10)
    await ledger.reserve(free)
    await ledger.settle(ending(free.request_id, 0))
    for nothing in (free.request_id, await paid(ledger, simulated=True)):
        with pytest.raises(ConfigError, match="nothing was paid"):
            await give_back(ledger, nothing)
    assert books.clean()


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_refund_that_cannot_be_is_found(books, ledger, breakage):
    await paid(ledger, moment=NOON)
    await ledger.write(lambda run: run.execute(breakage).rowcount)
    report = await ledger.verify()
    assert report.misbooked == 1 and not report.ok
