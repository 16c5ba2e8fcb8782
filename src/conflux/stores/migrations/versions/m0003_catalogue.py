"""What a refresh of the catalogue saw, what it proposed, and who decided what."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> Any:
    return sa.Column(name, _LONG, nullable=nullable, autoincrement=False)


def _text(name: str, *, nullable: bool = False) -> Any:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "catalogue_sighting",
        _text("provider"),
        _text("kind"),
        _number("tried"),
        _number("good", nullable=True),
        *(_text(name) for name in ("outcome", "detail", "models", "missing")),
        sa.PrimaryKeyConstraint("provider", "kind", name="pk_catalogue_sighting"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "catalogue_change",
        _number("id"),
        *(_text(name) for name in ("target_table", "target_key", "field", "fields", "old", "source", "state")),
        _number("seen"),
        _number("decided", nullable=True),
        _text("decided_by", nullable=True),
        _number("effective_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_change"),
        sqlite_strict=True,
    )
    op.create_table(
        "catalogue_decision",
        _number("id"),
        sa.Column("change_id", _LONG, nullable=False),
        _text("state"),
        _number("decided"),
        _text("decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_decision"),
        sa.ForeignKeyConstraint(["change_id"], ["catalogue_change.id"], name="fk_catalogue_decision_change_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("catalogue_decision", "catalogue_change", "catalogue_sighting"):
        op.drop_table(name)
