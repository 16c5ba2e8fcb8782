"""Twin of stores/schema.py: the migrations build exactly these tables."""

import re
import sqlite3

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from conflux.stores.migrate import migrate
from conflux.stores.schema import metadata


@pytest.fixture
def migrated(tmp_path):
    connection = sqlite3.connect(tmp_path / "migrated.db", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


@pytest.fixture
def declared(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(tmp_path / "declared.db")
    yield connection
    connection.close()


def _tables(connection):
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND tbl_name NOT LIKE 'alembic%'"
    # As words in any order: a column that came later stands behind the constraints.
    return {name: sorted(re.split(r"[\s,]+", sql)) for name, sql in connection.execute(query).fetchall() if sql}


def test_migrations_build_what_is_declared(migrated, declared):
    assert _tables(migrated) == _tables(declared)


def test_every_table_is_strict_and_holds_no_float(migrated):
    for name in metadata.tables:
        assert migrated.execute("SELECT strict FROM pragma_table_list WHERE name = ?", (name,)).fetchone() == (1,)
        types = {row[2] for row in migrated.execute(f"PRAGMA table_info({name})")}
        assert types <= {"INTEGER", "TEXT", "BLOB"}


def test_ids_are_the_tree_itself(migrated):
    """A row of `request` lies where its id says, with no index beside it."""
    plan = migrated.execute("EXPLAIN QUERY PLAN SELECT * FROM request WHERE id = 1").fetchone()[3]
    assert "INTEGER PRIMARY KEY" in plan
    assert migrated.execute("SELECT count(*) FROM pragma_index_list('request')").fetchone() == (0,)


def test_postgresql_gets_64_bits():
    text = str(CreateTable(metadata.tables["hold"]).compile(dialect=postgresql.dialect()))
    assert "amount BIGINT NOT NULL" in text and "INTEGER" not in text
