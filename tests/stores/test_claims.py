"""Twin of stores/claims.py: on both databases."""

import asyncio

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import Checkpoint, Ending, Quota
from conflux.neutral.plans import Plan, PlanWindow
from conflux.neutral.usage import Usage
from conflux.stores.credit_rows import add_grant, balance, end_grant
from tests.stores.books import HOUR, NOON, ending, order

NOW = NOON * 1000
PLAN = Plan(id="p", name="P", storefront="conflux",
            windows=(PlanWindow(seconds=HOUR, requests=2), PlanWindow(seconds=24 * HOUR, tokens=100)))  # fmt: skip


async def give(books, amount, workspace=1, expires=None):
    return await books.ledger.write(
        lambda run: add_grant(run, workspace, amount, expires, "", int(books.clock() * 1000))
    )


async def left(books, workspace=1):
    return (await books.ledger.read(lambda run: balance(run, workspace, int(books.clock() * 1000))))[:2]


def planned(tokens=40, **rest):
    return order(0, quota=Quota(subscription=1, plan=PLAN, tokens=tokens), **rest)


async def test_credits_are_held_and_settled_with_the_money(books, ledger):
    number = await give(books, 100)
    one = order(50, credits=60)
    await ledger.reserve(one)
    assert await left(books) == (100, 60)
    assert await ledger.settle(ending(one.request_id, 40, credits=25)) == 40
    assert await left(books) == (75, 0)
    query = "SELECT account, party, amount FROM every_entry WHERE tx > 0 ORDER BY account"
    rows = await ledger.read(lambda run: run.execute(query).fetchall())
    assert [tuple(row) for row in rows] == [(1, 1, -40), (2, 0, 40), (6, number, -25), (7, 0, 25)]
    receipt = await ledger.receipt(one.request_id)
    assert receipt is not None and receipt.credits == 25
    assert books.clean() and await ledger.rebuild() == 0


async def test_who_holds_no_credits_pays_none(books, ledger):
    await give(books, 1, workspace=2)
    one = order(50, credits=60)
    await ledger.reserve(one)
    await ledger.settle(ending(one.request_id, 40, credits=25))
    assert await books.one("SELECT count(*) FROM taken") == 0
    assert await left(books) == (0, 0) and books.clean()


async def test_an_empty_balance_admits_exactly_what_it_holds(books, ledger):
    await give(books, 100)
    orders = [order(0, credits=10, moment=NOON + n / 1000) for n in range(100)]
    found = await asyncio.gather(*(ledger.reserve(one) for one in orders), return_exceptions=True)
    refused = [one for one in found if one is not None]
    assert len(refused) == 90 and all(
        isinstance(one, GatewayError) and one.kind is Kind.PAYMENT_REQUIRED for one in refused
    )
    for one, refusal in zip(orders, found, strict=True):
        if refusal is None:
            await ledger.settle(ending(one.request_id, 0, credits=10))
    assert await left(books) == (0, 0) and books.clean()
    with pytest.raises(GatewayError) as last:
        await ledger.reserve(order(0, credits=1))
    assert last.value.code == "insufficient_credits"


async def test_what_was_not_delivered_gives_its_credits_back(books, ledger):
    await give(books, 100)
    one = order(50, credits=60)
    await ledger.reserve(one)
    await ledger.settle(ending(one.request_id, 40, Ending.FAILED, credits=25))
    assert await left(books) == (100, 0)
    receipt = await ledger.receipt(one.request_id)
    assert receipt is not None and receipt.credits == 0
    assert books.clean()


async def test_nobody_pays_more_credits_than_were_held(books, ledger):
    await give(books, 100)
    one = order(50, credits=60)
    await ledger.reserve(one)
    await ledger.settle(ending(one.request_id, 40, credits=99))
    assert await left(books) == (40, 0) and books.clean()


@pytest.mark.parametrize(("started", "marked", "paid"), [(False, None, 0), (True, None, 7), (True, 20, 20)])
async def test_a_crash_costs_the_last_checkpoint_at_least_the_floor(books, started, marked, paid):
    await give(books, 100)
    one = order(50, credits=60, credit_floor=7)
    await books.ledger.reserve(one)
    if started:
        await books.ledger.start(one.request_id)
    if marked is not None:
        books.ledger.checkpoint(Checkpoint(request_id=one.request_id, amount=5, credits=marked))
    ledger = await books.reopen()
    await ledger.recover()
    assert await left(books) == (100 - paid, 0)
    assert books.clean()


async def test_a_grant_that_ends_is_no_balance_but_pays_for_what_it_held(books, ledger):
    await give(books, 50, expires=NOW + 1000)
    one = order(0, credits=30)
    await ledger.reserve(one)
    books.clock.moment += 1
    assert await left(books) == (0, 30)
    await ledger.settle(ending(one.request_id, 0, credits=30))
    assert await books.one("SELECT rest FROM credit_grant") == 20
    with pytest.raises(GatewayError):
        await ledger.reserve(order(0, credits=1, moment=books.clock.moment))
    assert books.clean()


async def test_revoking_takes_what_is_not_held_from_everybody(books, ledger):
    number = await give(books, 50)
    one = order(0, credits=30)
    await ledger.reserve(one)
    assert await ledger.write(lambda run: end_grant(run, number, NOW)) == 50
    other = order(0, credits=1, moment=NOON + 1)
    await ledger.reserve(other)  # a workspace whose grants were all revoked holds no credits
    await ledger.settle(ending(one.request_id, 0, credits=30))
    assert await books.one("SELECT rest FROM credit_grant") == 20 and books.clean()


async def test_a_plan_admits_what_its_windows_do(books, ledger):
    first, second = planned(20), planned()
    await asyncio.gather(ledger.reserve(first), ledger.reserve(second))
    with pytest.raises(GatewayError) as refused:
        await ledger.reserve(planned(1, moment=NOON + HOUR - 0.001))
    assert refused.value.code == "plan_window_spent" and (refused.value.details or {})["window"] == "1 hour"
    await ledger.settle(ending(first.request_id, 0, usage=Usage(input=10, output=20)))
    with pytest.raises(GatewayError) as refused:
        await ledger.reserve(planned(tokens=41, moment=NOON + HOUR))
    assert (refused.value.details or {})["window"] == "1 day"
    await ledger.reserve(planned(tokens=40, moment=NOON + HOUR))
    assert books.clean()


async def test_a_request_that_failed_is_given_back_to_its_plan(books, ledger):
    for _ in range(3):
        one = planned()
        await ledger.reserve(one)
        await ledger.settle(ending(one.request_id, 0, Ending.FAILED))
    assert await books.one("SELECT count(*) FROM taken") == 0 and books.clean()


async def test_a_plan_is_remembered_after_a_restart(books, ledger):
    one, two = planned(), planned()
    await ledger.reserve(one)
    await ledger.settle(ending(one.request_id, 0, usage=Usage(input=10)))
    await ledger.reserve(two)
    await ledger.start(two.request_id)
    ledger = await books.reopen()
    await ledger.recover()
    with pytest.raises(GatewayError):
        await ledger.reserve(planned())
    assert books.clean()


async def test_a_batch_sees_what_it_did_itself(books, ledger):
    orders = [planned(tokens=1) for _ in range(6)]
    found = await asyncio.gather(*(ledger.reserve(one) for one in orders), return_exceptions=True)
    assert [one is None for one in found] == [True, True, False, False, False, False]
