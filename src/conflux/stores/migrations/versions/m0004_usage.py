"""What was used, by day and by the caller's own tags; filled from the receipts that are there."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FIGURES = ("requests", "cost", "variance", "provider_cost", "credits", "input", "cache_read", "cache_write_5m",
            "cache_write_1h", "output", "reasoning", "audio", "image", "search")  # fmt: skip
_NAME = ("key_id", "day", "storefront", "model", "served_model", "simulated", "user_id", "workspace_id")


def _column(name: str) -> Any:
    kind = sa.Text() if name in ("storefront", "model", "served_model", "tags") else _LONG
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def upgrade() -> None:
    for table, name in (("usage_day", _NAME), ("usage_tag", (*_NAME, "tags"))):
        op.create_table(
            table,
            *map(_column, name),
            *map(_column, _FIGURES),
            sa.PrimaryKeyConstraint(*name, name=f"pk_{table}"),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    facts = "key_id, created / 86400000, storefront, requested_model, coalesce(served_model, ''), simulated, user_id"
    # No receipt carried tags before this.
    op.execute(
        f"INSERT INTO usage_day ({', '.join((*_NAME, *_FIGURES))}) SELECT {facts}, workspace_id, count(*),"
        f" {', '.join(f'sum({one})' for one in _FIGURES[1:])} FROM request GROUP BY {facts}, workspace_id"
    )


def downgrade() -> None:
    for name in ("usage_tag", "usage_day"):
        op.drop_table(name)
