"""Roles, what is switched off, and policies."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> Any:
    return sa.Column(name, _LONG, nullable=False, autoincrement=False)


def _text(name: str) -> Any:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "user_role",
        _number("user_id"),
        _text("role"),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_role"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_user_role_user_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "closed",
        _text("kind"),
        _number("owner_id"),
        _number("since"),
        sa.PrimaryKeyConstraint("kind", "owner_id", name="pk_closed"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy",
        _number("id"),
        _text("kind"),
        _number("owner_id"),
        _number("enabled"),
        _text("terms"),
        _number("changed"),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
        sa.UniqueConstraint("kind", "owner_id", name="uq_policy_kind_owner_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "model_status",
        _text("storefront"),
        _text("model"),
        _number("enabled"),
        _number("changed"),
        sa.PrimaryKeyConstraint("storefront", "model", name="pk_model_status"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for name in ("model_status", "policy", "closed", "user_role"):
        op.drop_table(name)
