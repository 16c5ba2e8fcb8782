"""Answers that are kept for an Idempotency-Key."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", _LONG, nullable=False),
        sa.Column("expires", _LONG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_kept_answer"),
        sqlite_strict=True,
    )
    op.create_index("ix_kept_answer_expires", "kept_answer", ["expires"])


def downgrade() -> None:
    op.drop_table("kept_answer")
