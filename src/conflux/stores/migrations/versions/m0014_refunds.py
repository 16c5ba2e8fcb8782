"""The accounts of money that is given back."""

from alembic import op

revision = "0014"
down_revision = "0013"

_ACCOUNTS = ((9, "refunded"), (10, "refunds"))


def upgrade() -> None:
    for number, account in _ACCOUNTS:
        op.execute(f"INSERT INTO account (id, name) VALUES ({number}, '{account}')")


def downgrade() -> None:
    op.execute("DELETE FROM account WHERE id >= 9")
