"""Twin of stores/usage_rows.py: the sums by day follow every settlement, and from the receipts alone."""

import asyncio

from conflux.neutral.ledger import Ending
from conflux.neutral.reports import FIGURES
from conflux.stores.usage_rows import drift
from tests.stores.books import DAY, NOON, ending, full_ending, order

SUMS = f"SELECT {', '.join(FIGURES)} FROM usage_day"
ALL = "SELECT sum(cost * cost), count(*) FROM ({}) AS costs".format(
    " UNION ALL ".join(f"SELECT cost FROM {table}" for table in ("usage_day", "usage_model", "usage_tag"))
)
FULL = (1, 90, 0, 40, 1_500_000, 1, 2, 3, 4, 5, 6, 7, 8, 9)


async def settle(ledger, make=full_ending, **fields):
    one = order(100, **fields)
    await ledger.reserve(one)
    await ledger.settle(make(one.request_id))


async def test_a_settlement_adds_its_receipt(books, ledger):
    await settle(ledger)
    assert await books.one(SUMS) == FULL
    assert await books.one("SELECT day, key_id, model, served_model, simulated FROM usage_day") == (
        NOON // DAY, 1, "conflux/one", "conflux/two", 0,
    )  # fmt: skip
    await settle(ledger)
    assert await books.one(SUMS) == tuple(2 * one for one in FULL)
    await settle(ledger, tags={"team": "ö", "a": "1"})
    assert await books.one("SELECT tags, requests FROM usage_tag") == ('{"a":"1","team":"ö"}', 1)
    assert await books.one(SUMS.replace("_day", "_model")) == tuple(3 * one for one in FULL)


async def test_a_batch_adds_up_before_it_writes(books, ledger):
    """Requests that settle together, of two keys."""
    await asyncio.gather(*(settle(ledger, caller_key=1 + place % 2) for place in range(10)))
    rows = await ledger.read(lambda run: run.execute("SELECT key_id, requests, cost FROM usage_day").fetchall())
    assert rows == [(1, 5, 450), (2, 5, 450)]


async def test_a_request_counts_on_the_day_it_began(books, ledger):
    one = order(100, moment=NOON)
    await ledger.reserve(one)
    books.clock.moment = NOON + 3 * DAY
    await ledger.settle(ending(one.request_id, 5))
    assert await books.one("SELECT day, cost FROM usage_day") == (NOON // DAY, 5)


async def test_what_recovery_ends_counts_too(books, ledger):
    """With its tags, which the hold kept."""
    one = order(100, input_floor=7, tags={"team": "ö", "a": "1"})
    await ledger.reserve(one)
    await ledger.start(one.request_id)
    ledger = await books.reopen()
    await ledger.recover()
    assert await books.one("SELECT requests, cost FROM usage_day") == (1, 7)
    assert await books.one("SELECT tags, cost FROM usage_tag") == ('{"a":"1","team":"ö"}', 7)
    assert books.clean()


async def test_rebuilding_mends_what_is_wrong_and_changes_nothing_else(books, ledger):
    await settle(ledger)
    await settle(ledger, tags={"team": "ö"})
    await settle(ledger, lambda number: ending(number, 3, Ending.DONE), tags={"b": "1", "a": "2"})
    before = await books.one(ALL)
    assert await ledger.rebuild() == 0
    await ledger.write(lambda run: run.execute("UPDATE usage_day SET cost = cost + 1, output = 0").rowcount)
    await ledger.write(lambda run: run.execute("UPDATE usage_tag SET tags = '{}' WHERE cost = 3").rowcount)
    await ledger.write(lambda run: run.execute("UPDATE usage_model SET requests = requests + 1").rowcount)
    assert await ledger.read(drift) == 2 + 2 + 2
    assert await ledger.rebuild() == 6
    after = await books.one(ALL)
    assert after == before and books.clean()


async def test_a_request_that_was_routed_by_a_task_has_its_tags_or_none(books, ledger):
    for tags in ({}, {"a": "1"}):
        await settle(ledger, lambda number: ending(number, 3, task="code"), tags=tags)
    assert await books.one("SELECT tags, requests FROM usage_tag") == ('{"a":"1"}', 1)
    assert await ledger.read(drift) == 0 and await ledger.rebuild() == 0
