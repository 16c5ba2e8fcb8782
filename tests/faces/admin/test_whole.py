"""What the command line can do, the admin API can: each command, by the operation that does the same."""

from typing import Any

import typer

from conflux.faces.admin.app import TABLES
from conflux.faces.catalogue_cli import add_catalogue
from conflux.faces.cli import build
from conflux.faces.public import POSTED

# What makes sense only where one stands before the machine itself.
ON_THE_MACHINE = {
    "serve": "starts the gateway",
    "doctor": "says why a gateway does not start",
    "sim": "is a program of its own",
    "run": "starts a program of the user's",
    "restore": "is refused while a gateway runs",
    "catalogue validate": "looks at files before a gateway reads them",
}
# The public API has it, for keys and sessions alike.
PUBLIC = {"explain": "/v1/route/explain"}
SAME = {
    "reload": "reload_server",
    "status": "get_server",
    "probe": "probe_model",
    "reconcile": "reconcile_invoice",
    "backup": "make_backup",
    "keys create": "create_key",
    "keys list": "list_keys",
    "keys revoke": "revoke_key",
    "models list": "list_models",
    "models show": "get_model",
    "models disable": "change_model",
    "models enable": "change_model",
    "workspaces list": "list_workspaces",
    "workspaces create": "create_workspace",
    "workspaces set": "change_workspace",
    "workspaces show": "list_workspaces",
    "workspaces enable": "change_workspace",
    "workspaces disable": "change_workspace",
    "workspaces delete": "delete_workspace",
    "users list": "list_users",
    "users create": "create_user",
    "users set": "change_user",
    "users password": "change_user",
    "users show": "list_users",
    "users enable": "change_user",
    "users disable": "change_user",
    "users delete": "delete_user",
    "policies list": "list_policies",
    "policies create": "change_policy",
    "policies set": "change_policy",
    "policies show": "get_policy",
    "policies enable": "change_policy",
    "policies disable": "change_policy",
    "policies delete": "delete_policy",
    "policies preview": "preview_policies",
    "budgets list": "list_budgets",
    "budgets set": "set_budget",
    "credits grant": "grant_credits",
    "credits list": "list_credits",
    "credits revoke": "revoke_grant",
    "plans list": "list_plans",
    "plans subscribe": "subscribe",
    "plans unsubscribe": "unsubscribe",
    "config show": "get_config",
    "retention show": "list_retention",
    "retention sweep": "sweep_retention",
    "ledger verify": "verify_ledger",
    "ledger rebuild": "rebuild_ledger",
    "ledger export": "list_receipts",
    "ledger refund": "refund_receipt",
    "catalogue sync": "sync_catalogue",
    "catalogue diff": "list_changes",
    "catalogue accept": "accept_changes",
    "catalogue reject": "reject_changes",
    "catalogue import": "import_rows",
}


def commands(group: Any, before: str = "") -> list[str]:
    found: list[str] = []
    for name, one in group.commands.items():
        found += commands(one, f"{before}{name} ") if hasattr(one, "commands") else [before + name]
    return found


def test_every_command_has_its_operation() -> None:
    nobody: Any = None  # who acts is asked when a command runs
    app = build(nobody)
    add_catalogue(app, nobody)
    there = set(commands(typer.main.get_command(app)))
    assert there == SAME.keys() | ON_THE_MACHINE.keys() | PUBLIC.keys(), "say which operation does it, or why none does"
    served = {spec.endpoint.__name__ for table in TABLES for spec in table.specs}
    assert set(SAME.values()) <= served and set(PUBLIC.values()) <= POSTED.keys()
