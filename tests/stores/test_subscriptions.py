import pytest

from conflux.neutral.errors import NoSuch
from conflux.neutral.ledger import Quota
from conflux.neutral.people import Owner
from conflux.neutral.plans import Plan, PlanWindow, Subscription
from conflux.neutral.usage import Usage
from conflux.stores.subscriptions import Subscriptions, subscribe, subscription_of
from tests.stores.books import ending, order

PLAN = Plan(id="p", name="P", storefront="conflux", windows=(PlanWindow(seconds=60, requests=5),))


@pytest.fixture
def subscriptions(ledger, clock):
    return Subscriptions(ledger, lambda: None, clock)


async def test_the_nearest_subscription_counts(ledger):
    for kind in ("workspace", "user", "key"):
        number = await ledger.write(lambda run, kind=kind: subscribe(run, kind, 1, kind, 0))
        assert await ledger.read(lambda run: subscription_of(run, 1, 1, 1)) == Subscription(number, kind)
    assert await ledger.read(lambda run: subscription_of(run, 2, 2, 2)) is None


async def test_who_changes_plans_begins_anew_and_who_stays_does_not(subscriptions):
    mine = Owner(workspace="default", user="default")
    first = await subscriptions.put(mine, "p")
    assert await subscriptions.put(mine, "p") == first
    assert await subscriptions.put(mine, "q") != first
    assert [(row.kind, row.owner, row.plan) for row in await subscriptions.rows()] == [("user", "default/default", "q")]
    await subscriptions.end(mine)
    assert await subscriptions.rows() == []
    with pytest.raises(NoSuch):
        await subscriptions.end(mine)


async def test_what_was_used_of_it(ledger, subscriptions):
    one = order(0, quota=Quota(subscription=4, plan=PLAN, tokens=9))
    await ledger.reserve(one)
    await ledger.settle(ending(one.request_id, 0, usage=Usage(input=7)))
    (found,) = await subscriptions.standing(4, PLAN)
    assert (found.requests, found.tokens, found.frees) == (1, 7, one.created + 60_000)
