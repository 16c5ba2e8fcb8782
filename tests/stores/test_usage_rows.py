"""Twin of stores/usage_rows.py: the sums by day follow every settlement, and from the receipts alone."""

import asyncio

import pytest

from conflux.neutral.ledger import Ending
from conflux.neutral.reports import FIGURES, UsageAsked
from conflux.neutral.usage import Usage as Tokens
from conflux.stores.rows import REQUEST
from conflux.stores.sqlite_book import SqliteBook
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.usage import Usage
from conflux.stores.usage_rows import drift, is_plain
from tests.stores.books import DAY, NOON, Clock, ending, full_ending, order

SUMS = f"SELECT {', '.join(FIGURES)} FROM usage_day"
ALL = "SELECT sum(cost * cost), count(*) FROM ({}) AS costs".format(
    " UNION ALL ".join(f"SELECT cost FROM {table}" for table in ("usage_day", "usage_model", "usage_tag"))
)
HUGE = Tokens(input=1 << 62)
FULL = (1, 90, 0, 40, 1_500_000, 1, 2, 3, 4, 5, 6, 7, 8, 9)


async def settle(ledger, make=full_ending, **fields):
    one = order(100, **fields)
    await ledger.reserve(one)
    await ledger.settle(make(one.request_id))


async def summed(ledger):
    """A job finds every receipt counted."""
    await ledger.write(lambda run: run.execute("SELECT 1").fetchone())


async def test_a_settlement_adds_its_receipt(books, ledger):
    await settle(ledger)
    await summed(ledger)
    assert await books.one(SUMS) == FULL
    assert await books.one("SELECT day, key_id, model, served_model, simulated FROM usage_day") == (
        NOON // DAY, 1, "conflux/one", "conflux/two", 0,
    )  # fmt: skip
    await settle(ledger)
    await summed(ledger)
    assert await books.one(SUMS) == tuple(2 * one for one in FULL)
    await settle(ledger, tags={"team": "ö", "a": "1"})
    assert await books.one("SELECT tags, requests FROM usage_tag") == ('{"a":"1","team":"ö"}', 1)
    await summed(ledger)
    assert await books.one(SUMS.replace("_day", "_model")) == tuple(3 * one for one in FULL)


async def test_a_batch_adds_up_before_it_writes(books, ledger):
    """Requests that settle together, of two keys."""
    await asyncio.gather(*(settle(ledger, caller_key=1 + place % 2) for place in range(10)))
    await summed(ledger)
    rows = await ledger.read(lambda run: run.execute("SELECT key_id, requests, cost FROM usage_day").fetchall())
    assert rows == [(1, 5, 450), (2, 5, 450)]


async def test_a_request_counts_on_the_day_it_began(books, ledger):
    one = order(100, moment=NOON)
    await ledger.reserve(one)
    books.clock.moment = NOON + 3 * DAY
    await ledger.settle(ending(one.request_id, 5))
    await summed(ledger)
    assert await books.one("SELECT day, cost FROM usage_day") == (NOON // DAY, 5)


async def test_what_recovery_ends_counts_too(books, ledger):
    """With its tags, which the hold kept."""
    one = order(100, input_floor=7, tags={"team": "ö", "a": "1"})
    await ledger.reserve(one)
    await ledger.start(one.request_id)
    ledger = await books.reopen()
    await ledger.recover()
    await summed(ledger)
    assert await books.one("SELECT requests, cost FROM usage_day") == (1, 7)
    assert await books.one("SELECT tags, cost FROM usage_tag") == ('{"a":"1","team":"ö"}', 7)
    assert books.clean()


async def test_rebuilding_mends_what_is_wrong_and_changes_nothing_else(books, ledger):
    await settle(ledger)
    await settle(ledger, tags={"team": "ö"})
    await settle(ledger, lambda number: ending(number, 3, Ending.DONE), tags={"b": "1", "a": "2"})
    await summed(ledger)
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


async def test_what_is_due_counts_for_who_asks_and_is_summed_once(tmp_path):
    """On SQLite, where receipts are summed many at a time."""
    ledger = SqliteLedger.open(tmp_path / "x.db", Clock())
    ask = UsageAsked(first=NOON // DAY, last=NOON // DAY, by=("key", "model"))
    for _ in range(2):
        await settle(ledger)
    small = await count(ledger, "usage_due"), await count(ledger, "usage_day")
    before = await Usage(ledger).sums(ask)
    assert small == (2, 0) and before[0].figures == tuple(2 * one for one in FULL)
    assert await ledger.read(drift) == 0
    await summed(ledger)
    await summed(ledger)
    assert (await count(ledger, "usage_due"), await count(ledger, "usage_day")) == (0, 1)
    assert await Usage(ledger).sums(ask) == before and await ledger.read(drift) == 0
    await ledger.write(lambda run: run.execute("INSERT INTO usage_due VALUES (7)").rowcount)
    assert await ledger.read(drift) == 1
    await ledger.write(lambda run: run.execute("INSERT INTO usage_due SELECT id FROM request LIMIT 1").rowcount)
    assert await ledger.read(drift) == 3, "a receipt counted twice drifts by day and by model"
    await ledger.aclose()


async def test_what_is_due_is_summed_when_it_is_much(tmp_path, monkeypatch):
    monkeypatch.setattr(SqliteBook.sum_up, "__defaults__", (3,))
    ledger = SqliteLedger.open(tmp_path / "x.db", Clock())
    left = []
    for _ in range(4):
        await settle(ledger)
        left.append(await count(ledger, "usage_due"))
    assert left == [1, 2, 0, 1] and await ledger.read(drift) == 0
    await ledger.aclose()


async def test_what_a_failed_job_summed_is_due_again(tmp_path):
    """What the writer remembers of it is then less than what is due."""
    ledger = SqliteLedger.open(tmp_path / "x.db", Clock())
    await settle(ledger)
    with pytest.raises(ZeroDivisionError):
        await ledger.write(lambda run: 1 // 0)
    assert await count(ledger, "usage_due") == 1 and await ledger.read(drift) == 0
    await summed(ledger)
    assert await count(ledger, "usage_due") == 0 and await ledger.read(drift) == 0
    with pytest.raises(ZeroDivisionError):
        await ledger.write(lambda run: 1 // 0)
    await settle(ledger)
    await summed(ledger)
    assert await count(ledger, "usage_due") == 0 and await ledger.read(drift) == 0
    await ledger.aclose()


async def test_figures_that_do_not_occur_are_counted_at_once(tmp_path):
    """So many of them together may be beyond 64 bits: then the one too many is refused, as ever."""
    ledger = SqliteLedger.open(tmp_path / "x.db", Clock())
    await settle(ledger, lambda number: ending(number, 1, usage=HUGE))
    await settle(ledger)
    assert (await count(ledger, "usage_due"), await count(ledger, "usage_day")) == (1, 1)
    await ledger.write(lambda run: run.execute("UPDATE usage_day SET input = 9223372036854775807").rowcount)
    await settle(ledger, lambda number: ending(number, 1, usage=Tokens(input=1)))
    await summed(ledger)
    assert await count(ledger, "usage_due") == 1, "what cannot be added stays due"
    await ledger.aclose()


async def count(ledger, table):
    return await ledger.read(lambda run: run.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.parametrize("figure", FIGURES[1:])
def test_a_row_is_plain_only_if_each_of_its_figures_is(figure):
    def row(value):
        return tuple(value if one == figure else 0 for one in REQUEST)

    assert is_plain(row(0)) and is_plain(row((1 << 40) - 1))
    assert not is_plain(row(-1)) and not is_plain(row(1 << 40))
