"""What was found out of targets by asking them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "probe",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("target", "capability", "evidence")),
        *(sa.Column(name, _LONG, nullable=False, autoincrement=False) for name in ("holds", "found", "tried", "cost")),
        sa.PrimaryKeyConstraint("target", "capability", name="pk_probe"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("probe")
