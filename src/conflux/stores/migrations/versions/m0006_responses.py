"""Responses that their owner lets be kept: what was asked, what was answered, until when."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _long(name: str) -> Any:
    return sa.Column(name, _LONG, nullable=False, autoincrement=False)


def _text(name: str) -> Any:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "stored_response",
        _long("key_id"),
        _text("id"),
        _long("created"),
        _long("expires"),
        _text("input"),
        _text("answer"),
        sa.PrimaryKeyConstraint("key_id", "id", name="pk_stored_response"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stored_response_expires", "stored_response", ["expires"])
    op.create_table(
        "stored_item",
        _long("key_id"),
        _text("id"),
        _text("response_id"),
        sa.PrimaryKeyConstraint("key_id", "id", name="pk_stored_item"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stored_item_response", "stored_item", ["key_id", "response_id"])


def downgrade() -> None:
    op.drop_table("stored_item")
    op.drop_table("stored_response")
