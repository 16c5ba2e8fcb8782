"""Twin of stores/postgres_migrate.py: the migrations build on PostgreSQL what schema.py declares."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from conflux.neutral.errors import ConfigError
from conflux.stores.migrate import HEAD
from conflux.stores.postgres_migrate import migrate_postgres, revision_of
from conflux.stores.postgres_run import connect
from conflux.stores.schema import metadata
from tests.stores.test_migrate import REVISIONS


@pytest.fixture
def fresh(postgres_server):
    """A database with nothing at all in it."""
    name = postgres_server.database()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
async def connection(fresh):
    found = await connect(fresh, "test")
    yield found
    await found.close()


COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, is_identity = 'YES' OR column_default LIKE 'nextval%'
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'every_entry')
"""
RULES = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' AND contype <> 'n'
"""


async def test_from_nothing_by_several_at_once_and_as_declared(connection, fresh, migrated_url):
    assert await revision_of(connection) is None
    others = [await connect(fresh, "test") for _ in range(2)]
    await asyncio.gather(*(migrate_postgres(one, fresh) for one in others))
    for one in others:
        await one.close()
    assert await revision_of(connection) == HEAD
    migrated = [{tuple(row) for row in await connection.fetch(query)} for query in (COLUMNS, RULES)]
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(fresh, "test"), poolclass=NullPool
    )
    async with engine.begin() as opened:
        await opened.run_sync(metadata.create_all)
    await engine.dispose()
    declared = [{tuple(row) for row in await connection.fetch(query)} for query in (COLUMNS, RULES)]
    # Ids that are always given by us need no numbers of the server's.
    given = {("meta", "id"), ("account", "id")}
    assert {row for row in migrated[0] ^ declared[0] if row[:2] not in given} == set()
    assert migrated[1] == declared[1]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_from_each_earlier_revision(connection, fresh, revision):
    await migrate_postgres(connection, fresh, revision)
    assert await revision_of(connection) == revision
    await migrate_postgres(connection, fresh)
    assert await revision_of(connection) == HEAD


async def test_a_newer_database_is_left_alone(connection, fresh):
    await connection.execute(
        "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('99')"
    )
    with pytest.raises(ConfigError, match=r"schema 99.*newer version"):
        await migrate_postgres(connection, fresh)
    assert await revision_of(connection) == "99"
