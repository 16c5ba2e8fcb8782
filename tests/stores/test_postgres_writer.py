"""Twin of stores/postgres_writer.py: a server that goes away, and comes back."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest

from conflux.neutral.errors import ConfigError, StoreError
from conflux.neutral.ledger import Ending
from tests.stores.books import ending, order


@pytest.fixture
def kind() -> str:
    return "postgres"


@pytest.fixture
def writer(ledger):
    return ledger._writer


@contextlib.asynccontextmanager
async def away(server):
    """The server is down inside, and up again after."""
    await asyncio.to_thread(server.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def _well(ledger):
    while not ledger.healthy:
        await asyncio.sleep(0.02)


async def test_commits_are_shared(books, ledger):
    asked = [order(1) for _ in range(200)]
    await asyncio.gather(*(ledger.reserve(one) for one in asked))
    await asyncio.gather(*(ledger.settle(ending(one.request_id, 1)) for one in asked))
    assert ledger.batches <= 6
    assert books.clean()


async def test_a_short_absence_is_waited_for(postgres_server, books, ledger, writer):
    writer._patience = 60
    asked = order(100)
    await ledger.reserve(asked)
    async with away(postgres_server):
        waiting = [asyncio.ensure_future(ledger.reserve(order(1))) for _ in range(5)]
        waiting.append(asyncio.ensure_future(ledger.settle(ending(asked.request_id, 60))))
        done, _ = await asyncio.wait(waiting, timeout=0.3)
        assert not done
    assert await asyncio.gather(*waiting) == [None] * 5 + [60]
    assert ledger.healthy and books.clean()


async def test_a_lost_database_refuses_everything_and_recovers_by_itself(postgres_server, books, ledger, writer):
    writer._patience = 0
    scope = await ledger.set_budget("key", 1, "total", 1000)
    begun, idle, held = order(100), order(100), order(100)
    for one in (begun, idle, held):
        await ledger.reserve(one)
    await ledger.start(begun.request_id)
    async with away(postgres_server):
        with pytest.raises(StoreError, match="cannot be reached"):
            await ledger.reserve(order(1))
        assert ledger.trouble is not None
        for one in (begun, idle):  # what was delivered is billed later, what was withheld is free
            with pytest.raises(StoreError):
                await ledger.settle(ending(one.request_id, 70))
        with pytest.raises(StoreError):
            await ledger.start(held.request_id)
        with pytest.raises(StoreError):
            await ledger.set_budget("key", 1, "total", 5)
        with pytest.raises(StoreError, match="cannot be read"):
            await ledger.receipt(begun.request_id)
    await _well(ledger)
    await ledger.write(lambda run: None)  # after what was owed
    found = [await ledger.receipt(one.request_id) for one in (begun, idle, held)]
    assert [(one.ending, one.cost) for one in found] == [
        (Ending.DONE, 70),
        (Ending.FAILED, 0),
        (Ending.CANCELLED, 0),
    ]
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(70, 0)]
    assert books.clean()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_commit_of_which_nobody_knows_is_looked_up(books, ledger, writer, monkeypatch, arrived):
    """The connection breaks while COMMIT is under way: before it arrived, or after."""
    scope = await ledger.set_budget("key", 1, "total", 1000)
    asked = order(100)
    await ledger.reserve(asked)
    run, batches = writer._run, ledger.batches

    def breaks(sql):
        if sql == "COMMIT":
            if arrived:
                type(run).script(run, sql)
            raise asyncpg.ConnectionDoesNotExistError("gone in the middle")
        type(run).script(run, sql)

    monkeypatch.setattr(run, "script", breaks)
    new = order(50)
    both: Any = await asyncio.gather(ledger.settle(ending(asked.request_id, 60)), ledger.reserve(new))
    assert list(both) == [60, None]
    assert writer._run is not run and ledger.batches == batches + 1
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(60, 50)]
    assert await ledger.settle(ending(new.request_id, 50)) == 50
    assert books.clean()


async def test_one_bad_step_does_not_take_the_others_with_it(books, ledger):
    bad: Any = 1.5
    good = [order(1) for _ in range(5)]
    found = await asyncio.gather(*(ledger.reserve(one) for one in (*good, order(bad))), return_exceptions=True)
    assert found[:5] == [None] * 5
    assert isinstance(found[5], StoreError)
    asked = good[0]
    assert await ledger.settle(ending(asked.request_id, 1, price_version="\ud800")) == 1
    receipt = await ledger.receipt(asked.request_id)
    assert receipt.price_version == "" and receipt.provenance == "quarantined"
    assert books.clean()


async def test_a_job_that_fails_changes_nothing_and_says_why(ledger):
    def half(run):
        run.execute("INSERT INTO storefront (name) VALUES (?)", ("x",))
        raise ConfigError(["no"])

    with pytest.raises(ConfigError, match="no"):
        await ledger.write(half)
    with pytest.raises(StoreError, match="syntax"):
        await ledger.write(lambda run: run.execute("NONSENSE"))
    found = await ledger.write(lambda run: run.execute("SELECT count(*) FROM storefront").fetchone()[0])
    assert found == 0


async def test_a_caller_who_leaves_while_reserving_holds_nothing(ledger):
    waiting = asyncio.ensure_future(ledger.reserve(order(1)))
    await asyncio.sleep(0)
    waiting.cancel()
    while ledger._writer._busy:
        await asyncio.sleep(0.01)
    assert ledger.open_requests == 0


async def test_closing_writes_what_was_queued_and_leaves(books, ledger):
    asked = order(5)
    await ledger.reserve(asked)
    waiting = asyncio.ensure_future(ledger.settle(ending(asked.request_id, 5)))
    await asyncio.sleep(0)
    await ledger.aclose()
    assert await waiting == 5
    with pytest.raises(StoreError, match="closed"):
        await ledger.reserve(order(1))
    await books.open()
    assert await books.one("SELECT count(*) FROM owner") == 1


@pytest.mark.parametrize("arrived", [True, False])
async def test_who_settles_waits_however_long_it_takes_to_know(books, ledger, writer, monkeypatch, arrived):
    """The database is lost while COMMIT is under way, and for longer than anybody is patient."""
    asked = order(100)
    await ledger.reserve(asked)
    run, connect = writer._run, writer._connect
    heard: list[str] = []
    writer._patience, ledger._writer.alarm = 0, heard.append
    back = asyncio.Event()

    def breaks(sql):
        if sql == "COMMIT":
            if arrived:
                type(run).script(run, sql)
            raise asyncpg.ConnectionDoesNotExistError("gone in the middle")
        type(run).script(run, sql)

    async def away():
        if not back.is_set():
            raise OSError("nobody there")
        return await connect()

    monkeypatch.setattr(run, "script", breaks)
    monkeypatch.setattr(writer, "_connect", away)
    settling = asyncio.ensure_future(ledger.settle(ending(asked.request_id, 60)))
    while ledger.trouble is None:
        await asyncio.sleep(0.005)
    with pytest.raises(StoreError):
        await ledger.reserve(order(1))
    assert not settling.done()
    back.set()
    assert await settling == 60
    assert [one.split(":")[0] for one in heard][:1] == ["ALARM"] and "writes again" in heard[-1]
    assert books.clean()
