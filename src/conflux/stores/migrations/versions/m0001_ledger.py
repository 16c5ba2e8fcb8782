"""The first schema: ledger, keys, budgets.

Law: spelled out, never imported from schema.py: this is what was built then, whatever the schema has become.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_LONG: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_ACCOUNTS = ("customer", "revenue", "provider_cost", "provider_payable", "variance")

_FACTS = "created key_id user_id workspace_id storefront: requested_model: simulated"

# name: a number; name?: that may be null; name: with a colon, text; name:? text that may be null.
_TABLES: dict[str, tuple[str, str]] = {
    "meta": ("id", "id instance: created owner_epoch probes"),
    "account": ("id", "id name:"),
    "workspace": ("id", "id name: created"),
    "app_user": ("id", "id workspace_id name: created"),
    "api_key": (
        "id",
        "id digest# prefix: last4: name: storefront: workspace_id user_id models:? admin test agent created"
        " expires_at? revoked_at?",
    ),
    "storefront": ("id", "id name:"),
    "budget": ("id", "id kind: scope_id period: cap? created lowered_at?"),
    "budget_window": ("budget_id start", "budget_id start posted held"),
    "hold": (
        "request_id",
        f"request_id {_FACTS} amount input_floor started checkpoint usage:? owner_epoch lease_until",
    ),
    "request": (
        "id",
        f"id {_FACTS} ended ending: started served_model:? held cost variance provider_cost credits"
        " input cache_read cache_write_5m cache_write_1h output reasoning audio image search"
        " provenance: price_version: status latency_ms first_byte_ms? detail:",
    ),
    "attempt": ("request_id n", "request_id n target:? provider_cost? upstream_id:?"),
    "entry": ("tx account party", "tx account party amount"),
}

_RULES: dict[str, list[Any]] = {
    "meta": [sa.CheckConstraint("id = 1", name="ck_meta_one_row")],
    "account": [sa.UniqueConstraint("name", name="uq_account_name")],
    "workspace": [sa.UniqueConstraint("name", name="uq_workspace_name")],
    "app_user": [
        sa.UniqueConstraint("workspace_id", "name", name="uq_app_user_workspace_id_name"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_app_user_workspace_id"),
    ],
    "api_key": [
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_api_key_workspace_id"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_api_key_user_id"),
    ],
    "storefront": [sa.UniqueConstraint("name", name="uq_storefront_name")],
    "budget": [
        sa.UniqueConstraint("kind", "scope_id", "period", name="uq_budget_kind_scope_id_period"),
        sa.CheckConstraint("cap >= 0", name="ck_budget_cap"),
    ],
    "budget_window": [
        sa.CheckConstraint("posted >= 0", name="ck_budget_window_posted"),
        sa.CheckConstraint("held >= 0", name="ck_budget_window_held"),
    ],
    "hold": [sa.CheckConstraint("amount >= 0", name="ck_hold_amount")],
    "request": [sa.CheckConstraint("cost >= 0", name="ck_request_cost")],
    "entry": [sa.CheckConstraint("amount <> 0", name="ck_entry_amount")],
}

_KINDS: dict[str, sa.types.TypeEngine[Any]] = {":": sa.Text(), "#": sa.LargeBinary()}


def _column(text: str) -> Any:
    nullable = text.endswith("?")
    name = text.rstrip(":?#")
    kind = next((_KINDS[mark] for mark in _KINDS if mark in text), _LONG)
    return sa.Column(name, kind, nullable=nullable, autoincrement=False)


_SAID = "entries are never changed: book a new transaction"
_GUARDS: dict[str, list[str]] = {
    "sqlite": [
        f"CREATE TRIGGER entry_no_{act.lower()} BEFORE {act} ON entry BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"CREATE FUNCTION entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION '{_SAID}'; END$$",
        "CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON entry EXECUTE FUNCTION entry_stays()",
    ],
}


def upgrade() -> None:
    for name, (key, columns) in _TABLES.items():
        op.create_table(
            name,
            *(_column(text) for text in columns.split()),
            sa.PrimaryKeyConstraint(*key.split(), name=f"pk_{name}"),
            *_RULES.get(name, ()),
            sqlite_strict=True,
            sqlite_with_rowid=" " not in key,
        )
    for statement in _GUARDS[op.get_context().dialect.name]:
        op.execute(statement)
    for number, name in enumerate(_ACCOUNTS, 1):
        op.execute(f"INSERT INTO account (id, name) VALUES ({number}, '{name}')")


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first schema: remove the database instead")
