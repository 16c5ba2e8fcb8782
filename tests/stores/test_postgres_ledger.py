"""Twin of stores/postgres_ledger.py: several owners on one database. What one owner sees is in test_ledger.py."""

import asyncio
import signal

import pytest

from conflux.neutral.errors import ConfigError, GatewayError, IdTaken, StoreError
from conflux.neutral.ledger import Checkpoint
from conflux.stores.postgres_ledger import PostgresLedger, check_server
from tests.stores.books import ending, order
from tests.stores.postgres_books import child, die, until
from tests.torture.race import HELD, exact, is_near, near

LEASE = 1.0


@pytest.fixture
def kind() -> str:
    return "postgres"


@pytest.fixture
async def other(books):
    """A second owner of the same database, watching the first."""
    found = await PostgresLedger.open(books.url, books.clock, LEASE)
    await found.recover()
    yield found
    await found.aclose()


async def _holds(ledger):
    return await ledger.read(lambda run: run.execute("SELECT count(*) FROM hold").fetchone()[0])


async def test_what_a_dead_owner_left_is_ended_after_its_lease(books, ledger, other):
    begun, idle = order(100, input_floor=30), order(50)
    for one in (begun, idle):
        await ledger.reserve(one)
    await ledger.start(begun.request_id)
    ledger.checkpoint(Checkpoint(request_id=begun.request_id, amount=70))
    await ledger.write(lambda run: None)
    await die(ledger)

    async def ended():
        return await _holds(other) == 0

    await until(ended)
    costs = [(await other.receipt(one.request_id)).cost for one in (begun, idle)]
    assert costs == [70, 0]
    assert books.clean()
    await books.open()


async def test_a_live_owner_is_left_alone(books, other):
    """Watched for many leases; it beats all the while."""
    mine = await PostgresLedger.open(books.url, books.clock, LEASE)
    await mine.recover()
    asked = order(100)
    await mine.reserve(asked)
    beats = "SELECT beat FROM owner WHERE epoch = ?"

    async def watched():
        epoch = other._book.epoch
        return await other.read(lambda run: run.execute(beats, (epoch,)).fetchone()[0] > 15)  # three leases

    await until(watched)
    assert await _holds(other) == 1
    assert await mine.settle(ending(asked.request_id, 60)) == 60
    await mine.aclose()


async def test_an_owner_that_was_taken_for_dead_is_fenced_and_begins_anew(books, ledger, other):
    """It hung for longer than its lease; what it held was ended by others, once."""
    asked, told = order(100, input_floor=30), order(100)
    await ledger.reserve(asked)
    await ledger.start(asked.request_id)
    before = ledger._book.epoch

    async def ended():
        return await _holds(other) == 0

    await until(ended)  # it never began to beat
    assert await ledger.settle(ending(asked.request_id, 90)) == 30
    await ledger.reserve(told)
    assert await ledger.settle(ending(told.request_id, 80)) == 80
    assert ledger._book.epoch > before
    assert books.clean()


async def test_an_id_is_used_once_by_all(ledger, other):
    asked = order(10)
    await ledger.reserve(asked)
    for _ in range(2):
        with pytest.raises(IdTaken):
            await other.reserve(asked)
        with pytest.raises(IdTaken):
            await ledger.reserve(asked)
        await ledger.settle(ending(asked.request_id, 5))
    many = [order(1) for _ in range(50)]
    found = await asyncio.gather(
        *(one.reserve(what) for what in many for one in (ledger, other)), return_exceptions=True
    )
    assert sum(one is None for one in found) == 50
    assert all(isinstance(one, IdTaken) for one in found if one is not None)


async def test_a_budget_made_or_changed_elsewhere_counts_at_once(books, ledger, other):
    await ledger.reserve(order(100))
    await other.set_budget("key", 1, "total", 150)
    with pytest.raises(GatewayError):
        await ledger.reserve(order(100))
    await other.set_budget("key", 1, "total", 500)
    asked = order(100)
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 70))
    scope = await other.set_budget("key", 1, "day", None)
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(70, 100)]
    assert books.clean()


async def test_new_windows_are_made_by_both_at_once(books, ledger, other):
    for period in ("total", "day", "week", "month"):
        await ledger.set_budget("key", 1, period, None)
        await ledger.set_budget("user", 1, period, None)
    asked = [order(1, moment=books.clock.moment + 40 * 86_400 * n) for n in range(20)]
    await asyncio.gather(*((ledger, other)[n % 2].reserve(one) for n, one in enumerate(asked)))
    await asyncio.gather(*((other, ledger)[n % 2].receipt(one.request_id) for n, one in enumerate(asked)))
    assert books.clean()


async def test_a_budget_for_n_admits_exactly_n_over_three_processes(books, ledger):
    """Ten times as many as fit, a third of them in each; round after round. `./run torture` runs a hundred."""
    n, rounds = 7, 8
    await ledger.set_budget("key", 1, "day", n * HELD)
    start = int(books.clock.moment)
    assert await exact(books.url, ledger, start, processes=3, n=n, rounds=rounds) == [n] * rounds
    assert await _holds(ledger) == 0
    assert books.clean()


async def test_where_less_is_spent_than_was_held_the_cap_is_neared_by_a_hold_and_never_passed(books, ledger):
    """Three processes ask until they are refused, round after round. `./run torture` runs a hundred."""
    n, start = 10, int(books.clock.moment)
    scope = await ledger.set_budget("key", 1, "day", n * HELD)
    spent = await near(books.url, ledger, start, processes=3, n=n, rounds=4, cost=30)
    assert all(is_near(one, n) for one in spent), spent
    (stand,) = await ledger.standing((scope,))
    assert (stand.posted, stand.held) == (spent[0], 0)
    assert books.clean()


PROMISER = """
import asyncio, sys
from conflux.stores.postgres_ledger import PostgresLedger
from tests.stores.books import order

async def main(url):
    ledger = await PostgresLedger.open(url)
    await ledger.recover()

    async def one():
        while True:
            asked = order(100, input_floor=10)
            await ledger.reserve(asked)
            await ledger.start(asked.request_id)
            print(asked.request_id, flush=True)

    await asyncio.gather(*(one() for _ in range(20)))

asyncio.run(main(sys.argv[1]))
"""


async def test_one_is_killed_in_the_middle_of_a_batch_and_the_other_ends_what_it_promised(books, ledger, other):
    scope = await ledger.set_budget("key", 1, "total", None)
    promised: list[int] = []
    async with child(PROMISER, books.url) as victim:
        while len(promised) < 300:
            promised.append(int(await victim.stdout.readline()))
        victim.send_signal(signal.SIGKILL)
        promised += [int(line) for line in (await victim.stdout.read()).splitlines(keepends=True) if line[-1:] == b"\n"]

    async def ended():
        return await _holds(other) == 0

    await until(ended)
    found = [await other.receipt(number) for number in promised]
    assert all(one is not None and one.cost == 10 for one in found)
    (stand,) = await other.standing((scope,))
    assert stand.posted >= 10 * len(promised) and stand.held == 0
    assert books.clean()


async def test_a_database_that_is_not_there_or_will_not_do():
    with pytest.raises(StoreError, match="cannot be opened"):
        await PostgresLedger.open("postgresql://nobody@127.0.0.1:1/none")

    class Old:
        def get_server_version(self):
            return type("Version", (), {"major": 12})

    with pytest.raises(ConfigError, match="PostgreSQL 12"):
        check_server(Old())
