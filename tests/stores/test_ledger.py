"""Twin of stores/ledger.py: the ledger as the relay meets it, on either database."""

import asyncio

import pytest

from conflux.neutral.errors import GatewayError, Kind, StoreError
from conflux.neutral.ledger import Checkpoint, Ending
from conflux.neutral.records import Scope
from conflux.neutral.usage import Provenance, Usage
from conflux.stores.booking import Account
from conflux.stores.ledger import Recovered
from tests.stores.books import DAY, HOUR, NOON, ending, full_ending, order, total


async def _entries(books):
    rows = await books.ledger.read(
        lambda run: run.execute("SELECT tx, account, party, amount FROM every_entry").fetchall()
    )
    return {(tx, Account(account), party): amount for tx, account, party, amount in rows}


async def _stand(books, *scopes):
    return [(one.posted, one.held) for one in await books.ledger.standing(scopes)]


async def test_a_request_is_held_settled_and_receipted(books, ledger):
    (scope,) = (await ledger.set_budget("key", 1, "total", 1000),)
    asked = order(200, scopes=(scope,))
    await ledger.reserve(asked)
    assert await _stand(books, scope) == [(0, 200)]
    assert await ledger.receipt(asked.request_id) is None
    end = full_ending(asked.request_id)
    assert await ledger.settle(end) == 90
    assert await _stand(books, scope) == [(90, 0)]
    found = await ledger.receipt(asked.request_id)
    assert found is not None
    assert (found.request_id, found.created, found.caller_key) == (asked.request_id, NOON * 1000, 1)
    assert (found.storefront, found.requested_model, found.served_model) == ("conflux", "conflux/one", "conflux/two")
    assert (found.ending, found.cost, found.simulated) == (Ending.DONE, 90, False)
    for name in ("usage", "provenance", "price_version", "credits", "lines", "calls", "dropped", "status"):
        assert getattr(found, name) == getattr(end, name), name
    assert await _entries(books) == {
        (asked.request_id, Account.CUSTOMER, 1): -90,
        (asked.request_id, Account.REVENUE, 0): 90,
        (asked.request_id, Account.PROVIDER_COST, 0): -40,
        (asked.request_id, Account.PROVIDER_PAYABLE, 0): 40,
    }
    assert books.clean()


async def test_a_second_settle_changes_nothing(books, ledger):
    asked = order(100)
    await ledger.reserve(asked)
    assert await ledger.settle(ending(asked.request_id, 60)) == 60
    assert await ledger.settle(ending(asked.request_id, 99)) == 60
    found = await asyncio.gather(*(ledger.settle(ending(asked.request_id, n)) for n in range(5)))
    assert found == [60] * 5
    assert await books.one("SELECT count(*) FROM request") == 1


async def test_two_settles_in_one_batch_are_one(books, ledger):
    asked = order(100)
    await ledger.reserve(asked)
    found = await asyncio.gather(*(ledger.settle(ending(asked.request_id, n)) for n in (40, 50, 60)))
    assert found == [40] * 3
    assert books.clean()


async def test_the_house_bears_what_exceeds_the_hold(books, ledger):
    await ledger.set_budget("key", 1, "total", 100)
    asked = order(100)
    await ledger.reserve(asked)
    assert await ledger.settle(ending(asked.request_id, 130)) == 100
    found = await _entries(books)
    assert found[asked.request_id, Account.VARIANCE, 0] == -30
    assert sum(found.values()) == 0
    assert await books.one("SELECT cost, variance, held FROM request") == (100, 30, 100)
    assert books.clean()


async def test_a_simulated_request_is_priced_and_posts_nothing(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 10)
    asked = order(100, simulated=True, scopes=(scope,))
    await ledger.reserve(asked)
    assert await _stand(books, scope) == [(0, 0)]
    assert await ledger.settle(ending(asked.request_id, 80, provider_cost=9)) == 80
    found = await ledger.receipt(asked.request_id)
    assert found is not None and found.simulated and found.cost == 80
    assert await _entries(books) == {}
    assert await _stand(books, scope) == [(0, 0)]
    assert books.clean()


async def test_a_failed_request_is_free(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 100)
    asked = order(100)
    await ledger.reserve(asked)
    assert await ledger.settle(ending(asked.request_id, 50, Ending.FAILED, provider_cost=7)) == 0
    assert await _stand(books, scope) == [(0, 0)]
    assert await _entries(books) == {
        (asked.request_id, Account.PROVIDER_COST, 0): -7,
        (asked.request_id, Account.PROVIDER_PAYABLE, 0): 7,
    }
    assert books.clean()


# -- refusals


async def test_a_spent_total_is_refused_with_402_and_holds_nothing(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 250)
    await ledger.reserve(order(100))
    await ledger.reserve(order(100))
    with pytest.raises(GatewayError) as caught:
        await ledger.reserve(order(100))
    assert caught.value.kind is Kind.PAYMENT_REQUIRED
    assert caught.value.details is not None and caught.value.details["missing_usd"] == "0.00000005"
    assert await _stand(books, scope) == [(0, 200)]
    await ledger.reserve(order(50))
    assert await _stand(books, scope) == [(0, 250)]
    assert books.clean()


async def test_a_refusal_of_one_scope_holds_nothing_in_the_others(books, ledger):
    scopes = [
        await ledger.set_budget("key", 1, "total", None),
        await ledger.set_budget("user", 1, "day", 1000),
        await ledger.set_budget("workspace", 1, "month", 50),
        await ledger.set_budget("storefront", "conflux", "week", 1000),
    ]
    with pytest.raises(GatewayError) as caught:
        await ledger.reserve(order(60, scopes=tuple(scopes)))
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.retry_after == pytest.approx(11.5 * DAY)
    assert await _stand(books, *scopes) == [(0, 0)] * 4
    asked = order(50, scopes=tuple(scopes))
    await ledger.reserve(asked)
    assert await _stand(books, *scopes) == [(0, 50)] * 4
    await ledger.settle(ending(asked.request_id, 20))
    assert await _stand(books, *scopes) == [(20, 0)] * 4
    assert books.clean()


async def test_other_keys_users_workspaces_and_storefronts_do_not_count(books, ledger):
    scopes = [
        await ledger.set_budget("key", 1, "total", 100),
        await ledger.set_budget("user", 1, "total", 100),
        await ledger.set_budget("workspace", 1, "total", 100),
        await ledger.set_budget("storefront", "conflux", "total", 100),
    ]
    await ledger.reserve(order(500, caller_key=2, caller_user=2, caller_workspace=2, storefront="inference"))
    assert await _stand(books, *scopes) == [(0, 0)] * 4
    with pytest.raises(GatewayError, match="storefront"):
        await ledger.reserve(order(500, caller_key=2, caller_user=2, caller_workspace=2))
    assert books.clean()


async def test_a_batch_of_refusals_writes_nothing(ledger):
    await ledger.set_budget("key", 1, "total", 10)
    before = ledger.batches
    found = await asyncio.gather(*(ledger.reserve(order(11)) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(one, GatewayError) for one in found)
    assert ledger.batches == before


@pytest.mark.parametrize("n", [1, 7, 100])
async def test_a_budget_for_n_admits_exactly_n_of_10_n_at_once(books, ledger, n):
    await ledger.set_budget("key", 1, "total", n * 100)
    asked = [order(100) for _ in range(10 * n)]

    async def run(one):
        await ledger.reserve(one)
        return await ledger.settle(ending(one.request_id, 100))

    found = await asyncio.gather(*(run(one) for one in asked), return_exceptions=True)
    assert found.count(100) == n
    assert all(isinstance(one, GatewayError) for one in found if one != 100)
    assert books.clean()


async def test_a_cap_that_is_not_on_the_books_is_no_cap_so_it_is_refused(ledger):
    with pytest.raises(StoreError, match="no budget for key 1 by total"):
        await ledger.reserve(order(1, scopes=total(100)))
    await ledger.reserve(order(1, scopes=total(None)))


async def test_a_scope_of_another_storefront_is_known_and_does_not_count(books, ledger):
    """An admin's key opens every storefront."""
    home = await ledger.set_budget("storefront", "conflux", "total", 10)
    await ledger.reserve(order(100, storefront="inference", scopes=(home,)))
    assert await _stand(books, home) == [(0, 0)]


async def test_the_books_cap_counts_not_the_callers(books, ledger):
    """A caller may have been read a moment before its cap was changed."""
    stale = (await ledger.set_budget("key", 1, "total", 1000),)
    await ledger.set_budget("key", 1, "total", 50)
    with pytest.raises(GatewayError):
        await ledger.reserve(order(60, scopes=stale))


# -- windows


async def test_a_window_rolls_over_and_a_settle_charges_the_window_of_its_hold(books, ledger, clock):
    scope = await ledger.set_budget("key", 1, "day", 100)
    late = order(80, moment=NOON + 12 * HOUR - 1, scopes=(scope,))
    await ledger.reserve(late)
    with pytest.raises(GatewayError) as caught:
        await ledger.reserve(order(80, moment=NOON + 12 * HOUR - 1))
    assert caught.value.retry_after == 1
    clock.moment = NOON + 13 * HOUR
    early = order(90, moment=clock.moment)
    await ledger.reserve(early)
    assert await _stand(books, scope) == [(0, 90)]
    await ledger.settle(ending(late.request_id, 70))
    assert await _stand(books, scope) == [(0, 90)]
    await ledger.settle(ending(early.request_id, 60))
    assert await _stand(books, scope) == [(60, 0)]
    clock.moment = NOON
    assert await _stand(books, scope) == [(70, 0)]
    assert books.clean()


async def test_a_clock_that_goes_back_finds_the_old_window_as_it_was(books, ledger, clock):
    scope = await ledger.set_budget("key", 1, "day", 100)
    first = order(60, moment=NOON)
    await ledger.reserve(first)
    await ledger.reserve(order(60, moment=NOON + DAY))
    await ledger.settle(ending(first.request_id, 60))
    await ledger.reserve(order(60, moment=NOON + 2 * DAY))
    await ledger.reserve(order(60, moment=NOON + 3 * DAY))
    with pytest.raises(GatewayError):
        await ledger.reserve(order(60, moment=NOON))
    await ledger.reserve(order(40, moment=NOON))
    assert await _stand(books, scope) == [(60, 40)]
    assert books.clean()


async def test_two_windows_in_one_batch_are_one_transaction(books, ledger):
    """Memory has one figure for each window; two would be found out, at the price of beginning again."""
    scope = await ledger.set_budget("key", 1, "day", 10_000)
    old = [order(10) for _ in range(10)]
    await asyncio.gather(*(ledger.reserve(one) for one in old))
    assert ledger.batches == 1
    more, new = order(10), order(10, moment=NOON + DAY)
    await asyncio.gather(
        ledger.reserve(more), ledger.reserve(new), *(ledger.settle(ending(one.request_id, 5)) for one in old)
    )
    assert ledger.batches == 2
    await asyncio.gather(*(ledger.settle(ending(one.request_id, 5)) for one in (more, new)))
    assert ledger.batches == 3
    assert await _stand(books, scope) == [(55, 0)]
    assert books.clean()


# -- budgets that change


async def test_a_new_budget_counts_what_was_spent_and_what_is_open(books, ledger):
    done, opened = order(100), order(70)
    yesterday = order(30, moment=NOON - DAY)
    for one in (done, opened, yesterday):
        await ledger.reserve(one)
    await ledger.settle(ending(done.request_id, 90))
    await ledger.settle(ending(yesterday.request_id, 30))
    total = await ledger.set_budget("key", 1, "total", 200)
    day = await ledger.set_budget("storefront", "conflux", "day", 200)
    assert await _stand(books, total, day) == [(120, 70), (90, 70)]
    with pytest.raises(GatewayError):
        await ledger.reserve(order(11))
    await ledger.settle(ending(opened.request_id, 50))
    assert await _stand(books, total, day) == [(170, 0), (140, 0)]
    assert books.clean()


async def test_a_lowered_cap_refuses_and_is_no_overrun_and_a_raised_one_admits(books, ledger):
    await ledger.set_budget("key", 1, "total", 100)
    asked = order(100)
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 100))
    await ledger.set_budget("key", 1, "total", 50)
    with pytest.raises(GatewayError):
        await ledger.reserve(order(1))
    assert books.clean()
    await ledger.set_budget("key", 1, "total", 101)
    await ledger.reserve(order(1))
    await ledger.set_budget("key", 1, "total", None)
    await ledger.reserve(order(10_000))
    assert books.clean()


# -- recovery


async def test_recovery_ends_what_a_dead_process_left(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 1000)
    idle, begun, marked, free, done = (
        order(100, input_floor=30),
        order(100, input_floor=30),
        order(100, input_floor=30),
        order(100, input_floor=30, simulated=True),
        order(100),
    )
    for one in (idle, begun, marked, free, done):
        await ledger.reserve(one)
    for one in (begun, marked, free):
        await ledger.start(one.request_id)
    ledger.checkpoint(Checkpoint(request_id=marked.request_id, amount=77, usage=Usage(input=3, output=9)))
    await ledger.settle(ending(done.request_id, 10))
    await books.reopen()
    assert await books.ledger.recover() == Recovered(requests=4, started=3, charged=30 + 77 + 30)
    assert await books.ledger.recover() == Recovered(0, 0, 0)
    costs = {}
    for one in (idle, begun, marked, free):
        found = await books.ledger.receipt(one.request_id)
        assert found is not None and found.ending is Ending.CRASHED
        assert found.provenance is Provenance.ESTIMATED
        costs[one.request_id] = found.cost
    assert list(costs.values()) == [0, 30, 77, 30]
    found = await books.ledger.receipt(marked.request_id)
    assert found is not None and found.usage == Usage(input=3, output=9)
    assert await _stand(books, scope) == [(117, 0)]
    assert books.clean()


async def test_a_settle_after_recovery_changes_nothing(books, ledger):
    asked = order(100, input_floor=30)
    await ledger.reserve(asked)
    await ledger.start(asked.request_id)
    await books.reopen()
    await books.ledger.recover()
    assert await books.ledger.settle(ending(asked.request_id, 99)) == 30


async def test_recovery_ends_more_than_a_batch(books, ledger):
    await asyncio.gather(*(ledger.reserve(order(1)) for _ in range(700)))
    await books.reopen()
    assert (await books.ledger.recover()).requests == 700
    assert await books.one("SELECT count(*) FROM hold") == 0
    assert books.clean()


async def test_holds_of_this_process_are_not_orphans(books, ledger):
    await ledger.reserve(order(10))
    assert (await ledger.recover()).requests == 0
    assert ledger.open_requests == 1


# -- what cannot be


async def test_what_was_never_reserved_can_neither_start_nor_settle(ledger):
    with pytest.raises(StoreError, match="never reserved"):
        await ledger.settle(ending(5, 1))
    with pytest.raises(StoreError, match="not open"):
        await ledger.start(5)
    ledger.checkpoint(Checkpoint(request_id=5, amount=1))


async def test_an_id_is_used_once(books, ledger):
    asked = order(10)
    await ledger.reserve(asked)
    with pytest.raises(StoreError, match="taken"):
        await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 1))
    with pytest.raises(StoreError, match="taken"):
        await ledger.reserve(asked)
    await books.reopen()
    with pytest.raises(StoreError, match="taken"):
        await books.ledger.reserve(asked)
    assert await books.one("SELECT count(*) FROM request") == 1


@pytest.mark.parametrize("wrong", [{"amount": 10**16 + 1}, {"amount": -1}, {"input_floor": 1 << 70}])
async def test_more_than_can_be_held_is_refused(books, ledger, wrong):
    with pytest.raises(GatewayError) as caught:
        await ledger.reserve(order(**wrong))
    assert caught.value.kind is Kind.INVALID
    assert ledger.batches == 0


async def test_a_refused_request_may_be_tried_again_for_less(books, ledger):
    await ledger.set_budget("key", 1, "total", 50)
    asked = order(60)
    with pytest.raises(GatewayError):
        await ledger.reserve(asked)
    await ledger.reserve(order(40, request_id=asked.request_id))
    assert await ledger.settle(ending(asked.request_id, 40)) == 40


async def test_ids_need_not_come_in_order(books, ledger):
    asked = [order(1) for _ in range(50)]
    for one in reversed(asked):
        await ledger.reserve(one)
    await asyncio.gather(*(ledger.settle(ending(one.request_id, 1)) for one in asked))
    assert books.clean()


async def test_a_receipt_of_nothing_is_none(ledger):
    assert await ledger.receipt(1 << 62) is None


async def test_a_closed_ledger_says_so(books, ledger):
    await ledger.aclose()
    with pytest.raises(StoreError, match="closed"):
        await ledger.reserve(order(1))
    with pytest.raises(StoreError, match="closed"):
        await ledger.write(lambda run: None)
    await ledger.aclose()


async def test_rebuilding_changes_nothing_unless_something_is_wrong(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 1000)
    day = await ledger.set_budget("user", 1, "day", 1000)
    first, second = order(100), order(50)
    for one in (first, second):
        await ledger.reserve(one)
    await ledger.settle(ending(first.request_id, 80))
    assert await ledger.rebuild() == 0
    await ledger.write(lambda run: run.execute("UPDATE budget_window SET posted = 7, held = 9 WHERE budget_id = 1"))
    assert await ledger.rebuild() == 1
    assert await _stand(books, scope, day) == [(80, 50), (80, 50)]
    await ledger.write(lambda run: run.execute("DELETE FROM budget_window"))
    assert await ledger.rebuild() == 2
    await ledger.settle(ending(second.request_id, 50))
    assert await _stand(books, scope, day) == [(130, 0), (130, 0)]
    assert books.clean()


async def test_opening_makes_the_default_workspace_and_user_once(books):
    await books.reopen()
    assert await books.one("SELECT id, name FROM workspace") == (1, "default")
    assert await books.one("SELECT id, workspace_id, name FROM app_user") == (1, 1, "default")
    assert await books.one("SELECT owner_epoch FROM meta") == 2


async def test_scopes_of_a_caller_are_those_of_the_books(ledger):
    assert await ledger.set_budget("user", 3, "week", 5) == Scope("user", 3, "week", 5)
    assert await ledger.standing((Scope("key", 99, "total", 1),)) == []


async def test_an_id_taken_twice_and_then_left_keeps_its_first_hold(books, ledger):
    asked = order(100)
    await ledger.reserve(asked)
    again = asyncio.ensure_future(ledger.reserve(asked))
    await asyncio.sleep(0)
    again.cancel()
    with pytest.raises(asyncio.CancelledError):
        await again
    await ledger.write(lambda run: None)
    assert ledger.open_requests == 1
    assert await ledger.settle(ending(asked.request_id, 60)) == 60
    assert books.clean()


async def test_who_leaves_in_the_moment_of_the_answer_holds_nothing(books, ledger, monkeypatch):
    """The cancellation comes when the hold is committed, before its caller is told."""
    put, asked = ledger._writer.put, order(100)

    def told_late(step, word):
        future = put(step, word)
        future.add_done_callback(lambda _: caller.cancel())
        return future

    monkeypatch.setattr(ledger._writer, "put", told_late)
    caller = asyncio.ensure_future(ledger.reserve(asked))
    with pytest.raises(asyncio.CancelledError):
        await caller
    await ledger.write(lambda run: None)
    found = await ledger.receipt(asked.request_id)
    assert found is not None and (found.ending, found.cost) == (Ending.CANCELLED, 0)
    assert ledger.open_requests == 0 and books.clean()
