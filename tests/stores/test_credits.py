import pytest

from conflux.neutral.errors import NoSuch
from conflux.stores.credits import Credits


async def test_credits_of_a_workspace_by_its_name(books, ledger, clock):
    credits = Credits(ledger, clock)
    number = await credits.grant("default", 70, int(clock() * 1000) + 5000, "first")
    await credits.grant("default", 30, None, "")
    assert (await credits.balance("default"))[:2] == (100, 0) == (await credits.balance_of(1))[:2]
    assert [(row.id, row.workspace, row.rest, row.note) for row in await credits.grants("default")] == [
        (number, "default", 70, "first"),
        (number + 1, "default", 30, ""),
    ]
    clock.moment += 5
    assert (await credits.balance("default")).rest == 30
    assert await credits.revoke(number + 1) == 30 == await credits.revoke(number + 1)
    found = await credits.balance("default")
    assert (found.rest, found.active) == (0, True)  # the first has run out, nobody took it back
    assert books.clean()


async def test_a_workspace_that_is_not_there(ledger, clock):
    with pytest.raises(NoSuch):
        await Credits(ledger, clock).grant("nobody", 1, None, "")
