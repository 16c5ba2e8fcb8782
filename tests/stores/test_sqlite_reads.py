"""Twin of stores/sqlite_reads.py."""

import asyncio
import sqlite3
import threading

import pytest

from conflux.neutral.errors import StoreError
from conflux.stores.sqlite_file import connect_writer
from conflux.stores.sqlite_reads import Readers


@pytest.fixture
def readers(tmp_path):
    writer = connect_writer(tmp_path / "x.db")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("INSERT INTO t VALUES (1)")
    found = Readers(tmp_path / "x.db")
    yield found
    found.close()
    writer.close()


async def test_a_read_is_off_the_loops_thread(readers):
    found = await readers.run(lambda run: (run.execute("SELECT x FROM t").fetchone()[0], threading.get_ident()))
    assert found[0] == 1 and found[1] != threading.get_ident()


async def test_reads_at_once_have_a_connection_each(readers):
    meeting = threading.Barrier(2, timeout=10)

    def query(run):
        meeting.wait()
        return id(run)

    assert len(set(await asyncio.gather(readers.run(query), readers.run(query)))) == 2


async def test_connections_are_used_again_unless_they_failed(readers):
    seen: list[sqlite3.Connection] = []
    for _ in range(3):
        await readers.run(seen.append)
    assert len(set(map(id, seen))) == 1
    with pytest.raises(StoreError, match="no such table"):
        await readers.run(lambda run: run.execute("SELECT * FROM other"))
    assert await readers.run(lambda run: run.execute("SELECT x FROM t").fetchone()) == (1,)


async def test_a_read_cannot_write(readers):
    with pytest.raises(StoreError, match="readonly"):
        await readers.run(lambda run: run.execute("INSERT INTO t VALUES (2)"))


async def test_a_file_that_is_not_there_is_named(tmp_path):
    readers = Readers(tmp_path / "none.db")
    with pytest.raises(StoreError, match="cannot be read"):
        await readers.run(lambda run: run.execute("SELECT 1"))
    readers.close()
    assert not (tmp_path / "none.db").exists()


async def test_what_a_query_raises_is_the_callers(readers):
    with pytest.raises(KeyError):
        await readers.run(lambda run: {"a": 1}["x"])
    assert await readers.run(lambda run: isinstance(run, sqlite3.Connection))
