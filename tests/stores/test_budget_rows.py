"""Twin of stores/budget_rows.py. What budgets do to requests is in test_ledger.py."""

import pytest

from conflux.neutral.errors import ConfigError
from conflux.neutral.records import Scope
from conflux.stores.budget_rows import Standing
from conflux.stores.budgets import FOREVER
from tests.stores.books import DAY, NOON, ending, order


async def test_a_budget_stands_where_its_window_stands(ledger, clock):
    scopes = (await ledger.set_budget("key", 1, "total", 500), await ledger.set_budget("key", 1, "day", None))
    midnight = (NOON // DAY + 1) * DAY * 1000
    assert await ledger.standing(scopes) == [
        Standing(Scope("key", 1, "total", 500), 0, 0, FOREVER),
        Standing(Scope("key", 1, "day", None), 0, 0, midnight),
    ]
    asked = order(100)
    await ledger.reserve(asked)
    assert [one.held for one in await ledger.standing(scopes)] == [100, 100]
    await ledger.settle(ending(asked.request_id, 70))
    clock.moment = NOON + DAY
    assert [(one.posted, one.held, one.resets) for one in await ledger.standing(scopes)] == [
        (70, 0, FOREVER),
        (0, 0, midnight + DAY * 1000),
    ]


async def test_the_cap_shown_is_the_one_on_the_books(ledger):
    scope = await ledger.set_budget("key", 1, "total", 500)
    await ledger.set_budget("key", 1, "total", 900)
    (found,) = await ledger.standing((scope,))
    assert found.scope.cap == 900


@pytest.mark.parametrize(
    ("kind", "owner", "window", "cap"),
    [
        ("team", 1, "total", 1),
        ("key", 1, "hour", 1),
        ("key", "conflux", "total", 1),
        ("storefront", 1, "total", 1),
        ("key", 1, "total", -1),
        ("key", 1, "total", 1 << 62),
    ],
)
async def test_budgets_that_cannot_be_are_refused(books, ledger, kind, owner, window, cap):
    with pytest.raises(ConfigError):
        await ledger.set_budget(kind, owner, window, cap)
    assert await books.one("SELECT count(*) FROM budget") == 0


async def test_a_budget_set_twice_is_one(books, ledger):
    for cap in (5, 6, None):
        await ledger.set_budget("storefront", "conflux", "month", cap)
    assert await books.one("SELECT count(*), max(cap) FROM budget") == (1, None)
    assert await books.one("SELECT count(*) FROM storefront") == 1
