"""Receipts that the sums by day do not count yet: they are added many at a time."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "usage_due",
        sa.Column("id", _LONG, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_due"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("usage_due")
