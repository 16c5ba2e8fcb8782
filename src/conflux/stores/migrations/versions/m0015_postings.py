"""The four entries of a usual settlement in one row, in the order of its key, and all entries in one view.

Entries that were written one by one stay where they are.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SAID = "entries are never changed: book a new transaction"
_GUARDS: dict[str, list[str]] = {
    "sqlite": [
        f"CREATE TRIGGER posting_no_{act.lower()} BEFORE {act} ON posting BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE TRIGGER posting_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON posting EXECUTE FUNCTION entry_stays()",
    ],
}
_LEGS = " UNION ALL ".join(
    f"SELECT tx, {account}, {party}, {amount} FROM posting"
    for account, party, amount in ((1, "party", "-paid"), (2, "0", "paid"), (3, "0", "-owed"), (4, "0", "owed"))
)


def upgrade() -> None:
    op.create_table(
        "posting",
        *(sa.Column(name, _LONG, nullable=False, autoincrement=False) for name in ("tx", "party", "paid", "owed")),
        sa.PrimaryKeyConstraint("tx", name="pk_posting"),
        sa.CheckConstraint("paid > 0", name="ck_posting_paid"),
        sa.CheckConstraint("owed > 0", name="ck_posting_owed"),
        sqlite_strict=True,
    )
    for statement in _GUARDS[op.get_context().dialect.name]:
        op.execute(statement)
    op.execute(
        "CREATE VIEW every_entry (tx, account, party, amount) AS"
        f" SELECT tx, account, party, amount FROM entry UNION ALL {_LEGS}"
    )


def downgrade() -> None:
    op.execute("DROP VIEW every_entry")
    op.execute(f"INSERT INTO entry (tx, account, party, amount) {_LEGS}")
    op.drop_table("posting")
