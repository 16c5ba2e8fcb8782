"""Twin of stores/postgres_verify.py. What is found is in test_verify.py."""

import pytest

from conflux.neutral.errors import StoreError
from conflux.stores.opening import verify_url
from tests.stores.books import ending, order


@pytest.fixture
def kind() -> str:
    return "postgres"


async def test_it_says_what_is_not_a_ledger_of_this_version(postgres_server, books):
    with pytest.raises(StoreError, match="holds no ledger"):
        await verify_url(postgres_server.url("postgres"))
    await books.ledger.write(lambda run: run.execute("UPDATE alembic_version SET version_num = '0001'").rowcount)
    try:
        with pytest.raises(StoreError, match="has schema 0001"):
            await verify_url(books.url)
    finally:
        put = "UPDATE alembic_version SET version_num = (SELECT max(version_num) FROM (VALUES (?)) AS v (version_num))"
        from conflux.stores.migrate import HEAD

        await books.ledger.write(lambda run: run.execute(put, (HEAD,)).rowcount)


async def test_a_tag_may_hold_what_postgresql_refuses(books, ledger):
    asked = order(10, tags={"a": "x\0y"})
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 0))
    assert books.clean()


async def test_an_entry_is_never_changed(ledger):
    asked = order(10)
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 5))
    changes = ("UPDATE {} SET {} = 1", "DELETE FROM {}", "TRUNCATE {}")
    for change in (one.format(*of) for of in (("entry", "amount"), ("posting", "paid")) for one in changes):
        with pytest.raises(StoreError, match="never changed"):
            await ledger.write(lambda run, change=change: run.execute(change).rowcount)
