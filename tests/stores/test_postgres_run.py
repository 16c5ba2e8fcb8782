"""Twin of stores/postgres_run.py."""

import asyncio

import asyncpg
import pytest

from conflux.stores.postgres_run import PostgresRun, connect, in_greenlet, is_gone, numbered, wait


@pytest.fixture
async def run(postgres_url):
    connection = await connect(postgres_url, "test")
    yield PostgresRun(connection)
    await connection.close()


async def test_work_that_waits_leaves_the_loop_to_others():
    seen = []

    async def slow(name):
        seen.append(f"{name} waits")
        await asyncio.sleep(0)
        return name

    both = in_greenlet(lambda: wait(slow("a")) + wait(slow("b")))
    found: list[str] = list(await asyncio.gather(both, in_greenlet(lambda: wait(slow("c")))))
    assert found == ["ab", "c"]
    assert seen.index("c waits") < seen.index("b waits")


async def test_what_fails_fails_where_it_was_waited_for():
    async def fail():
        raise LookupError("no")

    def work():
        try:
            wait(fail())
        except LookupError as error:
            return str(error)

    assert await in_greenlet(work) == "no"
    with pytest.raises(LookupError):
        await in_greenlet(lambda: wait(fail()))


async def test_a_cancellation_reaches_the_work():
    left = []

    def work():
        try:
            wait(asyncio.sleep(60))
        finally:
            left.append(True)

    task = asyncio.ensure_future(in_greenlet(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == [True]


def test_places_are_counted_and_typed():
    text = numbered("a = ? AND b = ? AND c = ? AND d = ? AND e = ANY(?::bigint[])", (1, "x", b"y", None, [1]))
    assert text == "a = $1::bigint AND b = $2::text AND c = $3::bytea AND d = $4 AND e = ANY($5::bigint[])"
    with pytest.raises(AssertionError, match="1 places and 2 values"):
        numbered("a = ?", (1, 2))


async def test_rows_come_and_are_counted(run):
    def work():
        many = run.execute("SELECT n FROM generate_series(1, 3) AS n WHERE n > ?", (0,))
        first, rest = many.fetchone(), many.fetchall()
        put = run.execute("INSERT INTO storefront (name) VALUES (?), (?)", ("a", "b"))
        changed = run.execute("UPDATE storefront SET name = name || ?", ("x",))
        none = run.execute("SELECT 1 WHERE false")
        return first[0], [row[0] for row in rest], many.fetchone(), put.rowcount, changed.rowcount, none.fetchone()

    assert await in_greenlet(work) == (1, [2, 3], None, 2, 2, None)


async def test_sums_are_whole_numbers(run):
    found = await in_greenlet(lambda: run.execute("SELECT sum(n) FROM unnest(?::bigint[]) AS n", ([1 << 62] * 3,)))
    assert found.fetchone()[0] == 3 << 62


async def test_a_value_that_fits_no_column_is_not_a_lost_server(run):
    for value in (1.5, "x\0", 1 << 70):
        with pytest.raises((TypeError, asyncpg.InterfaceError, asyncpg.PostgresError)) as caught:
            await run.send("SELECT ?::bigint", (value,))
        assert not is_gone(caught.value), caught.value
    assert is_gone(ConnectionRefusedError()) and is_gone(TimeoutError())
