"""A hold keeps its request's tags, so that one that ends with its process has them too; and sums of what was used by
day and model, for long spans."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME = ("day", "storefront", "model", "served_model", "simulated")
_TEXTS = ("storefront", "model", "served_model")
_FIGURES = (
    *("requests", "cost", "variance", "provider_cost", "credits", "input", "cache_read", "cache_write_5m"),
    *("cache_write_1h", "output", "reasoning", "audio", "image", "search"),
)


def upgrade() -> None:
    op.add_column("hold", sa.Column("tags", sa.Text(), nullable=True))
    op.create_table(
        "usage_model",
        *(
            sa.Column(one, sa.Text() if one in _TEXTS else _LONG, nullable=False, autoincrement=False)
            for one in (*_NAME, *_FIGURES)
        ),
        sa.PrimaryKeyConstraint(*_NAME, name="pk_usage_model"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    names, sums = ", ".join(_NAME), ", ".join(f"sum({one})" for one in _FIGURES)
    columns = f"{names}, {', '.join(_FIGURES)}"
    op.execute(f"INSERT INTO usage_model ({columns}) SELECT {names}, {sums} FROM usage_day GROUP BY {names}")


def downgrade() -> None:
    op.drop_table("usage_model")
    op.drop_column("hold", "tags")
