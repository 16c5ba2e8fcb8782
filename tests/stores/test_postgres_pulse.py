"""Twin of stores/postgres_pulse.py. What becomes of the dead is in test_postgres_ledger.py."""

import asyncio

import pytest

from conflux.stores.postgres_ledger import PostgresLedger
from conflux.stores.postgres_pulse import LEASE, Watch
from tests.stores.postgres_books import PATIENCE


@pytest.fixture
def kind() -> str:
    return "postgres"


def test_who_stands_still_for_a_lease_is_dead():
    watch = Watch(10)
    assert [watch.look([(1, 5, 0, 0), (2, 0, 0, 0)], now) for now in (0, 4, 8)] == [[], [], []]
    assert watch.look([(1, 5, 0, 0), (2, 1, 0, 0)], 11) == [(1, 5, 0)]
    assert watch.look([(2, 1, 0, 0)], 15) == []
    assert watch.look([(2, 1, 0, 0)], 20) == []
    assert watch.look([(2, 1, 0, 0)], 21) == [(2, 1, 0)]


def test_a_batch_is_a_sign_of_life():
    watch = Watch(10)
    assert [watch.look([(1, 5, batch, 0)], batch * 4) for batch in range(9)] == [[]] * 9


def test_who_has_left_need_not_be_waited_for():
    assert Watch(10).look([(1, 5, 7, 1)], 0) == [(1, 5, 7)]


def test_after_a_gap_everybody_is_watched_anew():
    """The database was away, or we were: nobody could show that he lives."""
    watch = Watch(10)
    for now in (0, 4, 8):
        watch.look([(1, 5, 0, 0)], now)
    assert watch.look([(1, 5, 0, 0)], 60) == []
    assert watch.look([(1, 5, 0, 0)], 64) == []
    watch.forget()
    assert watch.look([(1, 5, 0, 0)], 69) == [] == watch.look([(1, 5, 0, 0)], 73)


@pytest.fixture
async def heard(books):
    """An event of an owner that listens."""
    found = await PostgresLedger.open(books.url, books.clock, LEASE)
    event = asyncio.Event()
    found.heard = event.set
    await found.recover()
    while found._pulse is None or found._pulse._changes is None:
        await asyncio.sleep(0.01)
    event.clear()
    yield event
    await found.aclose()


async def test_a_change_elsewhere_is_heard(ledger, heard):
    await ledger.set_budget("key", 1, "total", 5)
    await asyncio.wait_for(heard.wait(), PATIENCE)


async def test_a_word_that_is_lost_is_made_up_for_within_five_seconds(postgres_server, books, heard):
    database = books.url.partition("@/")[2].partition("?")[0]
    postgres_server.sql("UPDATE common SET changes = changes + 1", database)  # and says nothing
    await asyncio.wait_for(heard.wait(), 5)


async def test_a_listener_that_lost_its_connection_listens_again(postgres_server, ledger, heard):
    who = "application_name = 'conflux pulse'"
    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {who}")
    await ledger.set_budget("key", 1, "total", 5)
    await asyncio.wait_for(heard.wait(), PATIENCE)
    heard.clear()
    while not postgres_server.sql(f"SELECT 1 FROM pg_stat_activity WHERE {who}"):
        await asyncio.sleep(0.02)
    await ledger.set_budget("key", 1, "total", 6)
    await asyncio.wait_for(heard.wait(), PATIENCE)
