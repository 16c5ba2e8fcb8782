"""Twin of stores/founding.py."""

from conflux.stores.founding import make_known


async def test_each_who_comes_is_newer_and_the_first_rows_stay(books):
    first = await books.ledger.write(lambda run: make_known(run, 5))
    instance = await books.one("SELECT instance FROM meta")
    assert await books.ledger.write(lambda run: make_known(run, 6)) == first + 1
    assert await books.one("SELECT instance FROM meta") == instance
    assert await books.one("SELECT name, role FROM app_user JOIN user_role ON user_id = id") == ("default", "owner")
