"""Twin of stores/sqlite_book.py: the mirror beside the file. What callers see of it is in test_ledger.py."""

import sqlite3

import pytest

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.ledger import Checkpoint
from conflux.stores import sqlite_book
from conflux.stores.book import Drift
from conflux.stores.budget_rows import put_budget
from conflux.stores.sqlite_book import SqliteBook
from conflux.stores.sqlite_file import connect_writer
from conflux.stores.sqlite_ledger import claim
from tests.stores.books import DAY, NOON, Clock, ending, order


@pytest.fixture
def run(tmp_path, empty):
    (tmp_path / "x.db").write_bytes(empty)
    connection = connect_writer(tmp_path / "x.db")
    claim(connection, 0)
    yield connection
    connection.close()


@pytest.fixture
def book(run):
    found = SqliteBook(Clock())
    found.read(run)
    return found


def _commit(run, book):
    assert book.write()
    run.execute("COMMIT")


def _windows(run):
    return run.execute("SELECT start, posted, held FROM budget_window ORDER BY start").fetchall()


def test_a_batch_moves_a_budget_once(run, book):
    put_budget(run, "key", 1, "total", 10_000, 0)
    statements: list[str] = []
    run.set_trace_callback(statements.append)
    for one in (asked := [order(100) for _ in range(10)]):
        book.reserve(one)
    _commit(run, book)
    for one in asked[:5]:
        book.settle(ending(one.request_id, 60))
    book.reserve(order(100))
    _commit(run, book)
    run.set_trace_callback(None)
    assert _windows(run) == [(0, 300, 600)]
    assert sum("budget_window" in one and not one.startswith("SELECT") for one in statements) == 2


def test_nothing_to_write_opens_no_transaction(run, book):
    assert book.write() is False
    assert not run.in_transaction
    put_budget(run, "key", 1, "total", 10, 0)
    with pytest.raises(GatewayError):
        book.reserve(order(11))
    assert book.write() is False


def test_a_request_may_begin_and_end_in_one_batch(run, book):
    put_budget(run, "key", 1, "total", 1000, 0)
    asked = order(100)
    book.reserve(asked)
    book.start(asked.request_id)
    book.checkpoint(Checkpoint(request_id=asked.request_id, amount=5))
    assert book.settle(ending(asked.request_id, 60)) == 60
    assert book.settle(ending(asked.request_id, 70)) == 60
    _commit(run, book)
    assert run.execute("SELECT count(*) FROM hold").fetchone() == (0,)
    assert run.execute("SELECT cost, started FROM request").fetchone() == (60, 1)
    assert _windows(run) == [(0, 60, 0)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE budget_window SET held = held + 1",
        "UPDATE budget_window SET posted = posted + 1",
        "DELETE FROM budget_window",
        "DELETE FROM hold",
    ],
)
def test_rows_that_are_not_as_remembered_are_never_overwritten(run, book, change):
    put_budget(run, "key", 1, "total", 1000, 0)
    asked = order(100)
    book.reserve(asked)
    _commit(run, book)
    run.execute(change)
    before = run.execute("SELECT * FROM budget_window").fetchall()
    book.settle(ending(asked.request_id, 60))
    with pytest.raises(Drift, match="not as remembered"):
        book.write()
    run.execute("ROLLBACK")
    assert run.execute("SELECT * FROM budget_window").fetchall() == before
    assert run.execute("SELECT count(*) FROM request").fetchone() == (0,)


def test_reading_again_forgets_the_batch(run, book):
    put_budget(run, "key", 1, "total", 1000, 0)
    kept, lost = order(100), order(200)
    book.reserve(kept)
    _commit(run, book)
    book.reserve(lost)
    book.settle(ending(kept.request_id, 60))
    book.read(run)
    assert list(book.holds) == [kept.request_id]
    assert book.write() is False
    book.reserve(order(900))
    _commit(run, book)
    assert _windows(run) == [(0, 0, 1000)]


def test_the_mirror_stays_small(run, book, monkeypatch):
    monkeypatch.setattr(sqlite_book, "MOST_CALLERS", 10)
    monkeypatch.setattr(sqlite_book, "_MOST_SEEN", 10)
    asked = [order(1, caller_key=n) for n in range(100)]
    for one in asked:
        book.reserve(one)
        _commit(run, book)
        assert len(book._payers) <= 11 and len(book._taken) <= 10
    with pytest.raises(StoreError, match="taken"):
        book.reserve(asked[0])
    with pytest.raises(StoreError, match="taken"):
        book.reserve(asked[-1])


def test_windows_of_the_past_are_forgotten_when_nothing_is_held_in_them(run, book):
    put_budget(run, "key", 1, "day", 1000, 0)
    kept = order(10)
    book.reserve(kept)
    for day in range(1, 20):
        one = order(10, moment=NOON + day * DAY)
        book.reserve(one)
        book.settle(ending(one.request_id, 5))
        _commit(run, book)
    (budget,) = book._budgets.values()
    assert len(budget.older) <= 3
    book.settle(ending(kept.request_id, 7))
    _commit(run, book)
    assert _windows(run) == [((NOON // DAY + day) * DAY * 1000, 5 if day else 7, 0) for day in range(20)]


def test_who_comes_back_to_a_day_that_was_forgotten_finds_it_as_it_is(run, book):
    """Two payers on one budget: neither goes on with a window that the other does not see."""
    put_budget(run, "user", 1, "day", 1000, 0)
    for day in range(3):
        for key in (1, 2) if day == 0 else (2,):
            one = order(10, moment=NOON + day * DAY, caller_key=key)
            book.reserve(one)
            book.settle(ending(one.request_id, 5))
            _commit(run, book)
    for key in (1, 2, 1):
        book.reserve(order(10, caller_key=key))
        _commit(run, book)
    assert _windows(run)[0][1:] == (10, 30)


def test_holds_of_another_process_are_left_to_recovery(run, book):
    book.reserve(order(10))
    _commit(run, book)
    claim(run, 0)
    later = SqliteBook(Clock())
    later.read(run)
    assert later.holds == {}
    (hold,) = later.adopt_orphans()
    assert hold.amount == 10 and list(later.holds) == [hold.order.request_id]


def test_a_float_or_a_text_cannot_become_an_amount(run, book):
    book.reserve(order(1.5))  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        book.write()
