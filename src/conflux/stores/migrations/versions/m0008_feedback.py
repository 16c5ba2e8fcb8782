"""What callers say of answers, and its sums."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _long(name: str) -> Any:
    return sa.Column(name, _LONG, nullable=False, autoincrement=False)


def _text(name: str) -> Any:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "feedback",
        _long("request_id"),
        _long("key_id"),
        _long("score"),
        _text("comment"),
        _long("created"),
        _long("changed"),
        sa.PrimaryKeyConstraint("request_id", name="pk_feedback"),
        sqlite_strict=True,
    )
    op.create_table(
        "opinion",
        _text("storefront"),
        _text("model"),
        _text("task"),
        _long("simulated"),
        _long("voices"),
        _long("score"),
        sa.PrimaryKeyConstraint("storefront", "model", "task", "simulated", name="pk_opinion"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("opinion")
    op.drop_table("feedback")
