"""Twin of stores/columns.py: whole numbers and texts, and nothing else."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from conflux.stores.columns import id_, long, maybe_long, maybe_text, metadata, table, text


def test_what_may_be_null_says_so() -> None:
    assert [one("x").nullable for one in (long, maybe_long, text, maybe_text)] == [False, True, False, True]
    assert id_().primary_key


def test_numbers_have_64_bits_on_both_databases_and_tables_are_strict() -> None:
    made = table("of_a_test", id_(), text("word"), keyed=True)
    try:
        said = str(sa.schema.CreateTable(made).compile(dialect=sqlite.dialect()))
        assert "INTEGER NOT NULL" in said and "WITHOUT ROWID" in said and "STRICT" in said
        said = str(sa.schema.CreateTable(made).compile(dialect=postgresql.dialect()))
        assert "BIGSERIAL" in said or "BIGINT" in said
    finally:
        metadata.remove(made)
