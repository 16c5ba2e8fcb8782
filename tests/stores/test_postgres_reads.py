"""Twin of stores/postgres_reads.py."""

import asyncio

import pytest

from conflux.neutral.errors import NoSuch, StoreError
from conflux.neutral.reports import Span
from conflux.stores.opening import Books
from conflux.stores.postgres_reads import BlockingRun, PostgresReaders


@pytest.fixture
async def readers(postgres_url):
    found = PostgresReaders(postgres_url)
    yield found
    found.close()


def _one(run):
    return run.execute("SELECT 1").fetchone()[0]


async def test_many_reads_share_a_few_connections(readers):
    assert await asyncio.gather(*(readers.run(_one) for _ in range(20))) == [1] * 20
    assert 1 <= len(readers._free) <= 3


async def test_a_snapshot_is_of_one_moment_and_writes_nothing(readers):
    def read(run):
        first = run.execute("SELECT now()").fetchone()[0]
        with pytest.raises(Exception, match="read-only"):
            run.execute("DELETE FROM hold")
        return first

    assert await readers.run(read, snapshot=True)
    assert await readers.run(_one) == 1


async def test_connections_that_died_are_not_used_again(postgres_server, readers):
    await asyncio.gather(*(readers.run(_one) for _ in range(3)))
    who = "application_name = 'conflux reader'"
    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {who}")
    assert await asyncio.gather(*(readers.run(_one) for _ in range(3))) == [1] * 3


async def test_a_mistake_is_the_callers_and_a_broken_statement_a_store_error(readers):
    def missing(run):
        raise NoSuch(["not here"])

    with pytest.raises(NoSuch):
        await readers.run(missing)
    assert len(readers._free) == 1
    with pytest.raises(StoreError, match="cannot be read"):
        await readers.run(lambda run: run.execute("NONSENSE"))
    assert readers._free == []


async def test_a_read_that_is_cancelled_leaves_its_answer_to_nobody(readers):
    assert await readers.run(_one) == 1
    slow = asyncio.ensure_future(readers.run(lambda run: run.execute("SELECT 2 FROM pg_sleep(60)").fetchone()))
    while readers._free:
        await asyncio.sleep(0)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await readers.run(_one) == 1


def test_a_command_reads_without_a_loop_and_says_what_is_wrong(tmp_path, postgres_url):
    books = Books(tmp_path, postgres_url)
    assert books.count(Span(0, 1 << 40)) == 0
    assert list(books.receipts(Span(0, 1 << 40))) == []
    books.close()
    run = BlockingRun(postgres_url)
    assert run.execute("SELECT ?", (5,)).fetchone()[0] == 5
    with pytest.raises(StoreError, match="cannot be read"):
        run.execute("NONSENSE")
    run.close()
    with pytest.raises(StoreError, match="cannot be opened"):
        BlockingRun("postgresql://nobody@127.0.0.1:1/none")
