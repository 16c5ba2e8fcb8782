import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.stores.credit_rows import add_grant, credits_drift, end_grant
from tests.stores.books import NOON

NOW = NOON * 1000


async def test_a_grant_is_booked(books, ledger):
    number = await ledger.write(lambda run: add_grant(run, 1, 70, None, "n", NOW))
    query = "SELECT tx, account, party, amount FROM every_entry ORDER BY account"
    rows = await ledger.read(lambda run: run.execute(query).fetchall())
    assert [tuple(row) for row in rows] == [(-number, 6, number, 70), (-number, 8, 0, -70)]
    assert books.clean()


async def test_a_rest_that_is_wrong_is_found_and_mended(books, ledger):
    await ledger.write(lambda run: add_grant(run, 1, 70, None, "", NOW))
    await ledger.write(lambda run: run.execute("UPDATE credit_grant SET rest = 69"))
    assert (await ledger.verify()).credits_drifted == 1
    assert await ledger.rebuild() == 1
    assert books.clean() and await books.one("SELECT rest FROM credit_grant") == 70


async def test_credits_that_nobody_gave_are_found(ledger):
    await ledger.write(lambda run: add_grant(run, 1, 70, None, "", NOW))
    await ledger.write(lambda run: run.execute("UPDATE credit_grant SET amount = 80"))
    assert await ledger.read(credits_drift) == 1


@pytest.mark.parametrize(
    ("amount", "expires", "note"),
    [(0, None, ""), (-1, None, ""), (10**19, None, ""), (1, NOW, ""), (1, None, "x" * 501), (1, None, "\n")],
)
async def test_mistakes(ledger, amount, expires, note):
    with pytest.raises(ConfigError):
        await ledger.write(lambda run: add_grant(run, 1, amount, expires, note, NOW))


async def test_only_what_is_there_is_revoked(ledger):
    with pytest.raises(NoSuch):
        await ledger.write(lambda run: end_grant(run, 9, NOW))
