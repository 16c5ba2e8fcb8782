"""Twin of stores/book.py: what is decided without looking at the database. What is decided with it is in
test_sqlite_book.py, test_postgres_book.py and test_histories.py."""

import pytest

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.ledger import Checkpoint, Ending
from conflux.stores.book import MOST_HELD, Book, Drift, Window, check_all
from tests.stores.books import Clock, ending, order


class Plain(Book):
    """Without budgets, so without a database."""

    def _check_unused(self, number):
        if number in self.holds:
            raise StoreError("taken")

    def _window(self, budget, moment):
        return Window(budget, 0, 1, None)


@pytest.fixture
def book():
    return Plain(Clock())


def free(**rest):
    return order(100, simulated=True, **rest)


@pytest.mark.parametrize("amounts", [{"amount": -1}, {"amount": MOST_HELD + 1}, {"input_floor": -1}])
def test_what_no_sum_could_hold_is_refused(book, amounts):
    with pytest.raises(GatewayError, match="ask for less"):
        book.reserve(order(**amounts))
    assert book.holds == {}


def test_a_checkpoint_of_nobody_is_nothing(book):
    book.checkpoint(Checkpoint(request_id=7, amount=1))
    assert book._marks == {}


def test_what_was_lost_is_owed_once(book):
    told, begun, reserved, gone = free(), free(), free(), free()
    for one in (told, begun, reserved):
        book.reserve(one)
    book.start(begun.request_id)
    book.lost(book.settle, ending(told.request_id, 50))
    book.lost(book.settle, ending(begun.request_id, 50))
    book.lost(book.reserve, reserved)
    book.lost(book.reserve, gone)
    owed = {one.request_id: (one.ending, one.charge) for one in book.owed()}
    assert owed == {
        told.request_id: (Ending.FAILED, 0),
        begun.request_id: (Ending.DONE, 50),
        reserved.request_id: (Ending.CANCELLED, 0),
    }
    assert book.owed() == []


def test_only_a_reservation_that_nobody_waits_for_is_ended(book):
    asked = free()
    assert book.abandoned(book.start, asked.request_id) is None
    end = book.abandoned(book.reserve, asked)
    assert end is not None and (end.request_id, end.charge) == (asked.request_id, 0)


def test_a_settlement_can_be_said_more_simply_once(book):
    end = ending(1, 5, price_version="x")
    plain = book.simpler(book.settle, end)
    assert plain is not None and (plain.charge, plain.price_version) == (5, "")
    assert book.simpler(book.settle, plain) is None
    assert book.simpler(book.reserve, free()) is None


def test_fewer_rows_than_wanted_is_drift():
    check_all(2, 2, "hold")
    with pytest.raises(Drift, match="1 hold rows"):
        check_all(1, 2, "hold")
