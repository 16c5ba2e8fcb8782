"""What every table of schema.py is made of.

Law: 64-bit integers and texts, never a float; a column is not null unless its name says so.
"""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite's strict tables know only INTEGER, which has 64 bits there.
Long = BigInteger().with_variant(Integer(), "sqlite")


def table(name: str, *parts: SchemaItem, keyed: bool = False) -> Table:
    """`keyed`: the rows lie in the order of their primary key, with no second tree beside it."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=not keyed)


def long(name: str, **rest: object) -> Column[int]:
    return Column(name, Long, nullable=False, **rest)  # type: ignore[arg-type]


def maybe_long(name: str) -> Column[int]:
    return Column(name, Long)


def text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def maybe_text(name: str) -> Column[str]:
    return Column(name, Text)


def id_() -> Column[int]:
    return Column("id", Long, primary_key=True)
