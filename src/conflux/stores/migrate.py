"""Brings a database to the schema of this version.

Law: Alembic and SQLAlchemy are loaded only where there is something to do, since a start must be quick. A database
written by a newer version is left alone.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from conflux.neutral.errors import ConfigError

if TYPE_CHECKING:
    import sqlalchemy

HEAD = "0015"

_HERE = Path(__file__).parent / "migrations"


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The schema's revision, None for a database without one."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row is not None else None


def migrate(connection: sqlite3.Connection, target: str = HEAD) -> None:
    """Raises ConfigError where the database is newer than this program."""
    found = revision_of(connection)
    if found == target:
        return
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The connection commits by itself, so the one transaction of all steps is opened here.
    event.listen(engine, "begin", lambda opened: opened.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as opened:
        upgrade(opened, found, target)


def upgrade(opened: "sqlalchemy.Connection", found: str | None, target: str) -> None:
    """From revision `found`, on a connection of either database."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    # The value is read by a ConfigParser, to which a percent sign means something.
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    try:
        ScriptDirectory.from_config(config).get_revision(found or "base")
    except CommandError:
        raise ConfigError(
            [f"the database has schema {found}, which this version of Conflux does not know: use the newer version"]
        ) from None
    config.attributes["connection"] = opened
    command.upgrade(config, target)
