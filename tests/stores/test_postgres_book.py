"""Twin of stores/postgres_book.py: one batch is one set of rows. What callers see of it is in test_ledger.py."""

import pytest

from conflux.neutral.ledger import Checkpoint
from conflux.stores.book import Drift
from conflux.stores.budget_rows import put_budget
from conflux.stores.postgres_book import Fenced, PostgresBook
from conflux.stores.postgres_run import PostgresRun, connect, in_greenlet
from tests.stores.books import Clock, ending, order


@pytest.fixture
async def run(postgres_url):
    connection = await connect(postgres_url, "test")
    yield PostgresRun(connection)
    await connection.close()


@pytest.fixture
async def book(run):
    found = PostgresBook(Clock())

    def begin():
        found.claim(run)
        found.read(run)
        put_budget(run, "key", 1, "total", 1000, 0)

    await in_greenlet(begin)
    return found


async def batch(book, run, *steps, end="COMMIT"):
    """Decide and write these steps in one transaction; what the last one gave."""

    def work():
        book.begin([(step, word, None) for step, word in steps])
        found = [step(word) for step, word in steps]
        wrote = book.write()
        run.script(end)
        book.batch += wrote
        return found[-1]

    return await in_greenlet(work)


async def rows(run, query):
    return [tuple(row) for row in await in_greenlet(lambda: run.execute(query).fetchall())]


async def test_a_request_may_begin_and_end_in_one_batch(run, book):
    asked, other = order(100), order(50)
    mark = Checkpoint(request_id=other.request_id, amount=5)
    cost = await batch(
        book, run, (book.reserve, asked), (book.start, asked.request_id), (book.reserve, other),
        (book.start, other.request_id), (book.checkpoint, mark), (book.settle, ending(asked.request_id, 60)),
        (book.settle, ending(asked.request_id, 70)),
    )  # fmt: skip
    assert cost == 60
    assert await rows(run, "SELECT request_id, started, checkpoint FROM hold") == [(other.request_id, 1, 5)]
    assert await rows(run, "SELECT cost, started FROM request") == [(60, 1)]
    assert await rows(run, "SELECT posted, held FROM budget_window") == [(60, 50)]
    await batch(book, run, (book.checkpoint, Checkpoint(request_id=other.request_id, amount=9)))
    assert await rows(run, "SELECT started, checkpoint FROM hold") == [(1, 9)]


async def test_what_others_wrote_to_a_window_counts(run, book):
    await batch(book, run, (book.reserve, order(100)))
    await rows(run, "UPDATE budget_window SET held = held + 850 RETURNING 1")
    with pytest.raises(Exception, match="missing"):
        await batch(book, run, (book.reserve, order(100)))
    await in_greenlet(lambda: run.script("ROLLBACK"))
    await batch(book, run, (book.reserve, order(50)))
    assert await rows(run, "SELECT held FROM budget_window") == [(1000,)]


async def test_a_hold_that_is_gone_is_drift(run, book):
    asked = order(100)
    await batch(book, run, (book.reserve, asked))
    await rows(run, "DELETE FROM hold RETURNING 1")
    with pytest.raises(Drift, match="ended hold"):
        await batch(book, run, (book.settle, ending(asked.request_id, 60)))


async def test_without_its_row_an_owner_writes_nothing(run, book):
    await rows(run, "DELETE FROM owner RETURNING 1")
    with pytest.raises(Fenced):
        await batch(book, run, (book.reserve, order(1)))
    epoch = book.epoch
    await in_greenlet(lambda: run.script("ROLLBACK"))
    assert await in_greenlet(lambda: book.read(run)) is None
    assert book.epoch > epoch


async def test_reading_again_tells_the_last_batch(run, book):
    kept, lost = order(10), order(20)
    await batch(book, run, (book.reserve, kept))
    await batch(book, run, (book.reserve, lost), end="ROLLBACK")
    assert await in_greenlet(lambda: book.read(run)) == 1
    assert list(book.holds) == [kept.request_id]


async def test_only_who_stands_still_and_is_not_at_work_is_adopted(run, book, postgres_url):
    asked = order(10)
    await batch(book, run, (book.reserve, asked))
    later = PostgresBook(Clock())
    connection = await connect(postgres_url, "other")
    other = PostgresRun(connection)

    def begin():
        later.claim(other)
        later.read(other)

    await in_greenlet(begin)
    assert await in_greenlet(lambda: later.adopt([(book.epoch, 0, 0)])) == []  # it has moved since
    await in_greenlet(lambda: book.begin([]))
    assert await in_greenlet(lambda: later.adopt([(book.epoch, 0, 1)])) == []  # it is at work
    await in_greenlet(lambda: run.script("ROLLBACK"))
    (hold,) = await in_greenlet(lambda: later.adopt([(book.epoch, 0, 1)]))
    assert hold.order.request_id == asked.request_id
    assert await rows(run, "SELECT owner_epoch FROM hold") == [(later.epoch,)]
    await connection.close()


async def test_who_leaves_with_something_open_leaves_a_note(run, book):
    asked = order(10)
    await batch(book, run, (book.reserve, asked))
    await in_greenlet(book.leave)
    assert await rows(run, "SELECT gone FROM owner") == [(1,)]
    await batch(book, run, (book.settle, ending(asked.request_id, 1)))
    await in_greenlet(book.leave)
    assert await rows(run, "SELECT gone FROM owner") == []
