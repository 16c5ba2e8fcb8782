"""Twin of stores/booking.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.ledger import Call, Ending, Line
from conflux.neutral.usage import NOTHING, Provenance, Usage
from conflux.stores.booking import Account, Booked, Hold, bare, book, crashed, dropped, held_for, late, legs, squared
from tests.stores.books import ending, full_ending, order


def _hold(amount=100, *, started=True, **rest):
    asked = order(amount, **rest)
    return Hold(asked, held_for(asked), started)


def test_a_charge_within_the_hold_is_paid():
    assert book(_hold(100), ending(1, 80)) == Booked(80, 80, 0, 0, True)


def test_what_exceeds_the_hold_is_the_houses():
    assert book(_hold(100), ending(1, 130, provider_cost=50)) == Booked(100, 100, 30, 50, True)


@pytest.mark.parametrize("how", [Ending.FAILED, Ending.CANCELLED, Ending.CUT, Ending.CRASHED])
def test_what_was_not_delivered_is_not_paid(how):
    assert book(_hold(started=False), ending(1, 80, how)).cost == 0
    assert book(_hold(started=True), ending(1, 80, how)).cost == 80


def test_an_answer_in_one_piece_counts_as_started_when_it_is_done():
    assert book(_hold(started=False), ending(1, 80)) == Booked(80, 80, 0, 0, True)


def test_a_simulated_request_is_priced_and_pays_nothing():
    hold = _hold(100, simulated=True)
    assert hold.amount == 0
    assert book(hold, ending(1, 80, provider_cost=9)) == Booked(80, 0, 0, 0, True)


def test_a_negative_charge_pays_nobody():
    assert book(_hold(), ending(1, -5, provider_cost=-5)) == Booked(0, 0, 0, 0, True)


def _by_account(flat):
    rows = [flat[at : at + 4] for at in range(0, len(flat), 4)]
    assert len(rows) * 4 == len(flat)
    assert len({(tx, account, party) for tx, account, party, _ in rows}) == len(rows)
    return {(Account(account), party): amount for _, account, party, amount in rows}


def test_the_entries_of_a_plain_charge():
    flat = legs(7, 3, Booked(80, 80, 0, 0, True))
    assert _by_account(flat) == {(Account.CUSTOMER, 3): -80, (Account.REVENUE, 0): 80}
    assert set(flat[::4]) == {7}


def test_the_entries_of_everything_at_once():
    assert _by_account(legs(7, 3, Booked(100, 100, 30, 50, True))) == {
        (Account.CUSTOMER, 3): -100,
        (Account.REVENUE, 0): 130,
        (Account.VARIANCE, 0): -30,
        (Account.PROVIDER_COST, 0): -50,
        (Account.PROVIDER_PAYABLE, 0): 50,
    }


def test_nothing_paid_and_nothing_owed_is_no_entry():
    assert legs(7, 3, Booked(0, 0, 0, 0, True)) == ()


amounts = st.integers(0, 1 << 61)


@given(amounts, amounts, amounts, st.booleans(), st.booleans(), st.sampled_from(Ending))
def test_entries_sum_to_0_and_nobody_pays_above_the_hold(amount, charge, owed, started, simulated, how):
    hold = _hold(amount, started=started, simulated=simulated)
    booked = book(hold, ending(1, charge, how, provider_cost=owed))
    found = _by_account(legs(1, 1, booked))
    assert sum(found.values()) == 0
    assert 0 not in found.values()
    assert booked.paid <= hold.amount
    assert -found.get((Account.CUSTOMER, 1), 0) == booked.paid
    if booked.cost:
        assert booked.started
    if simulated:
        assert not found


def test_a_crash_costs_the_checkpoint_and_at_least_the_input():
    hold = _hold(100, input_floor=30)
    assert crashed(hold).charge == 30
    hold.checkpoint, hold.usage = 55, Usage(output=4)
    end = crashed(hold)
    assert (end.charge, end.usage, end.ending) == (55, Usage(output=4), Ending.CRASHED)
    assert end.provenance is Provenance.ESTIMATED
    assert crashed(_hold(100, input_floor=30, started=False)).charge == 0


def test_a_late_ending_is_free_unless_something_was_delivered():
    end = full_ending(1)
    assert late(_hold(started=True), end) == end
    free = late(_hold(started=False), end)
    assert (free.charge, free.ending, free.lines, free.calls) == (0, Ending.FAILED, (), end.calls)


def test_an_abandoned_reservation_ends_as_cancelled():
    assert (dropped(5).request_id, dropped(5).ending, dropped(5).charge) == (5, Ending.CANCELLED, 0)


def test_a_bare_ending_keeps_the_charge_and_nothing_a_database_could_refuse():
    end = bare(full_ending(1))
    assert (end.charge, end.ending, end.usage, end.calls) == (90, Ending.DONE, NOTHING, ())
    assert end.provenance is Provenance.QUARANTINED
    assert bare(ending(1, 1 << 70)).charge == 0


# --- what the receipt says

some_lines = st.lists(st.builds(Line, st.just("input"), st.integers(1, 9), st.integers(0, 9), st.integers(0, 1 << 61)))
some_calls = st.lists(
    st.builds(Call, role=st.just("direct"), model=st.just("m"), status=st.just("done"), latency_ms=st.just(1),
              cost=st.integers(0, 1 << 61)), max_size=3)  # fmt: skip


@given(amounts, some_lines, some_calls, st.booleans(), st.booleans(), st.sampled_from(Ending), amounts)
def test_lines_always_add_up_to_the_cost_and_no_call_costs_more(amount, lines, calls, started, simulated, how, other):
    hold = _hold(amount, started=started, simulated=simulated)
    for charge in (sum(line.amount for line in lines), other):
        end = ending(1, charge, how, lines=tuple(lines), calls=tuple(calls))
        booked = book(hold, end)
        found = squared(end, booked)
        assert sum(line.amount for line in found.lines) == booked.cost
        assert all(line.quantity * line.unit_price == line.amount * 1000 for line in found.lines[len(lines) :])
        assert sum(call.cost for call in found.calls) <= booked.cost or found is end
        assert all(call.cost >= 0 for call in found.calls)


def test_what_was_right_is_left_alone():
    end = full_ending(1)
    assert squared(end, book(_hold(100), end)) is end


def test_a_cap_is_a_line_of_its_own():
    end = full_ending(1)
    found = squared(end, book(_hold(70), end))
    assert found.lines == (*end.lines, Line("cap", 1, -20_000, -20))
    assert [call.cost for call in found.calls] == [0, 70]


def test_what_recovery_ends_has_one_line_and_says_why():
    hold = _hold(100)
    hold.checkpoint, hold.usage = 40, Usage(input=3)
    end = crashed(hold)
    found = squared(end, book(hold, end))
    assert found.lines == (Line("recovered", 1, 40_000, 40),)
    (call,) = found.calls
    assert (call.cost, call.usage, call.status) == (40, Usage(input=3), "crashed")
    assert call.reason == "the gateway's process ended before the answer did"
    assert crashed(_hold(started=False)).calls == ()
