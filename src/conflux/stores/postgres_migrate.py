"""Brings a PostgreSQL database to the schema of this version.

Law: as migrate.py: one transaction for the whole way, nothing heavy loaded where there is nothing to do. Of several
processes that start at once, one migrates and the others wait for it.
"""

from typing import TYPE_CHECKING, Any

from conflux.stores.migrate import HEAD, upgrade
from conflux.stores.postgres_run import connect

if TYPE_CHECKING:
    import asyncpg
    import sqlalchemy

_LOCK = "SELECT pg_advisory_xact_lock(1129272393)"  # any number that is ours alone


async def revision_of(connection: "asyncpg.Connection[Any]") -> str | None:
    """The schema's revision, None for a database without one."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found = await connection.fetchval("SELECT version_num FROM alembic_version")
    return str(found) if found is not None else None


async def migrate_postgres(connection: "asyncpg.Connection[Any]", url: str, target: str = HEAD) -> None:
    """Raises ConfigError where the database is newer than this program."""
    if await revision_of(connection) == target:
        return
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(url, "migration"), poolclass=NullPool
    )

    def work(opened: "sqlalchemy.Connection", found: str | None) -> None:
        if found != target:
            upgrade(opened, found, target)

    async with engine.begin() as opened:
        await opened.execute(text(_LOCK))
        # Asked again, now that nobody else migrates.
        known = (await opened.execute(text("SELECT to_regclass('alembic_version')"))).scalar() is not None
        found = (await opened.execute(text("SELECT version_num FROM alembic_version"))).scalar() if known else None
        await opened.run_sync(work, str(found) if found is not None else None)
    await engine.dispose()
