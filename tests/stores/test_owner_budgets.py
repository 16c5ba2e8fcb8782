"""Twin of stores/owner_budgets.py."""

import pytest

from conflux.neutral.errors import ConfigError, GatewayError, NoSuch
from conflux.neutral.people import BudgetRow, Owner
from conflux.stores.budgets import span_of
from conflux.stores.owner_budgets import OwnerBudgets
from tests.stores.books import order


@pytest.fixture
def changes():
    return []


@pytest.fixture
def budgets(ledger, changes, clock):
    return OwnerBudgets(ledger, lambda: changes.append(1), clock)


async def test_a_cap_is_shown_with_what_is_used_of_it(budgets, changes, clock):
    now = int(clock() * 1000)
    await budgets.put(Owner(), "month", 100)
    await budgets.put(Owner(user="default"), "day", 50)
    await budgets.put(Owner(), "week", 7)
    await budgets.put(Owner(), "week", None)
    assert await budgets.rows() == [
        BudgetRow(kind="workspace", owner="default", window="month", cap=100, spent=0, held=0,
                  resets=span_of("month", now).end),
        BudgetRow(kind="user", owner="default/default", window="day", cap=50, spent=0, held=0,
                  resets=span_of("day", now).end),
    ]  # fmt: skip
    assert len(changes) == 4


@pytest.mark.parametrize("owner", [Owner(), Owner(user="default")])
async def test_it_is_enforced_at_once(ledger, budgets, owner):
    await ledger.reserve(order(60))
    await budgets.put(owner, "total", 100)
    assert (await budgets.rows())[0].held == 60
    with pytest.raises(GatewayError, match=f"of this {owner.kind}"):
        await ledger.reserve(order(60))
    await budgets.put(owner, "total", None)
    await ledger.reserve(order(60))


async def test_mistakes(budgets):
    for owner in (Owner(workspace="no"), Owner(user="no"), Owner(key="key_9")):
        with pytest.raises(NoSuch):
            await budgets.put(owner, "total", 1)
    with pytest.raises(ConfigError, match="hour"):
        await budgets.put(Owner(), "hour", 1)


async def test_a_total_never_begins_anew(budgets):
    await budgets.put(Owner(), "total", 100)
    assert [row.resets for row in await budgets.rows()] == [None]
