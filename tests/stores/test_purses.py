from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.errors import GatewayError, Kind
from conflux.stores.budgets import FOREVER
from conflux.stores.purses import Grant, Purse, credit_legs, empty


def purse(*grants, held=0):
    return Purse([Grant(n, *one) for n, one in enumerate(grants, 1)], held, active=True)


def test_what_expires_first_is_spent_first():
    mine = purse((FOREVER, 10), (200, 5), (100, 3))
    assert [(grant.id, part) for grant, part in mine.take(7, 50)] == [(3, 3), (2, 4)]
    assert [(one.id, one.rest) for one in mine.moved()] == [(3, 0), (2, 1)]


def test_what_has_expired_is_no_balance():
    mine = purse((100, 3), (200, 5), held=1)
    assert [mine.balance(moment)[:2] for moment in (99, 100, 199, 200)] == [(8, 1), (5, 1), (5, 1), (0, 1)]
    mine.check(4, 199)
    with pytest.raises(GatewayError):
        mine.check(5, 199)


def test_a_request_spends_what_was_there_when_it_began():
    mine = purse((100, 3), (FOREVER, 5))
    assert [(grant.id, part) for grant, part in mine.take(4, 99)] == [(1, 3), (2, 1)]
    mine = purse((100, 3), (FOREVER, 5))
    assert [(grant.id, part) for grant, part in mine.take(4, 100)] == [(2, 4)]


def test_entries_sum_to_nothing():
    mine = purse((100, 3), (FOREVER, 5))
    assert credit_legs(9, mine.take(4, 50)) == (9, 7, 0, 4, 9, 6, 1, -3, 9, 6, 2, -1)
    assert credit_legs(9, []) == ()


def test_a_refusal_says_what_is_missing():
    said = empty(5_000_000, 2_000_000, 4_500_000)
    assert said.kind is Kind.PAYMENT_REQUIRED and said.details is not None
    assert said.details["missing_credits"] == "1.5" and "1.5 are missing" in said.message


@given(
    st.lists(st.tuples(st.sampled_from([100, 200, 300, FOREVER]), st.integers(1, 9)), max_size=5),
    st.lists(st.tuples(st.integers(0, 350), st.integers(1, 6)), max_size=8),
    st.randoms(),
)
def test_whatever_was_held_can_be_spent(grants, wishes, chance):
    """In whatever order requests come and end, and however the clock jumps."""
    mine = purse(*grants)
    held = []
    for moment, amount in wishes:
        try:
            mine.check(amount, moment)
        except GatewayError:
            continue
        mine.held += amount
        held.append((moment, amount))
    chance.shuffle(held)
    for moment, amount in held:
        assert sum(part for _, part in mine.take(amount, moment)) == amount
    assert all(a.expires <= b.expires for a, b in pairwise(mine.grants))
