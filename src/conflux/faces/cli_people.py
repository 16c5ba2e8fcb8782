"""`conflux workspaces` and `conflux users`.

Law: each command is one operation; what it changed counts when it returns.
"""

import sys
from typing import Annotated, Any

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out_json, table

Name = Annotated[str, typer.Argument(help="Its name.")]
Workspace = Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")]

_DOES = {
    "show": "Everything about it.",
    "enable": "Switch it on again.",
    "disable": "Switch it off: its keys open nothing, at once, until it is switched on again.",
    "delete": "Remove it. Refused while it has keys.",
}


def add_people(app: typer.Typer, actions: Operates) -> None:
    workspaces = typer.Typer(no_args_is_help=True, help="Make and look after workspaces.", rich_markup_mode=None)
    users = typer.Typer(no_args_is_help=True, help="Make and look after users.", rich_markup_mode=None)
    app.add_typer(workspaces, name="workspaces")
    app.add_typer(users, name="users")
    _add_workspaces(workspaces, actions)
    _add_users(users, actions)
    for verb in _DOES:
        _add_workspace_verb(workspaces, actions, verb)
        _add_user_verb(users, actions, verb)


def _done(found: dict[str, Any], json: bool) -> None:
    out_json(found) if json else fields(found)


def _add_workspaces(group: typer.Typer, actions: Operates) -> None:
    @group.command("list", epilog="Example:  conflux workspaces list --json")
    def list_workspaces(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """All workspaces."""
        found = actions.operate({"config": config, "data": data}, "workspaces.list", {})
        if json:
            out_json(found)
            return
        rows = [[row["name"], str(row["users"]), str(row["keys"]), _on(row)] for row in found["workspaces"]]
        table(["workspace", "users", "keys", "status"], rows)

    @group.command(epilog="Example:  conflux workspaces create acme")
    def create(name: Name, config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """Make a workspace."""
        _done(actions.operate({"config": config, "data": data}, "workspaces.create", {"name": name}), json)

    @group.command("set", epilog="Example:  conflux workspaces set acme --name apex")
    def set_workspace(
        name: Name,
        new_name: Annotated[str, typer.Option("--name", help="What it is called from now on.")],
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Rename a workspace. Its keys, budgets and policy stay."""
        params = {"name": name, "new_name": new_name}
        _done(actions.operate({"config": config, "data": data}, "workspaces.set", params), json)


def _add_workspace_verb(group: typer.Typer, actions: Operates, verb: str) -> None:
    def run(name: Name, config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        _done(actions.operate({"config": config, "data": data}, f"workspaces.{verb}", {"name": name}), json)

    run.__doc__ = _DOES[verb]
    group.command(verb, epilog=f"Example:  conflux workspaces {verb} acme")(run)


def _add_users(group: typer.Typer, actions: Operates) -> None:
    @group.command("list", epilog="Example:  conflux users list --workspace acme --json")
    def list_users(
        workspace: Annotated[str | None, typer.Option("--workspace", help="Only this one's.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """All users."""
        found = actions.operate({"config": config, "data": data}, "users.list", {"workspace": workspace})
        if json:
            out_json(found)
            return
        rows = [[row["workspace"], row["name"], row["role"], str(row["keys"]), _on(row)] for row in found["users"]]
        table(["workspace", "user", "role", "keys", "status"], rows)

    @group.command(epilog="Example:  conflux users create ann --workspace acme --role admin")
    def create(
        name: Name,
        workspace: Workspace = "default",
        role: Annotated[str, typer.Option(help="owner, admin or member.")] = "member",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Make a user in a workspace."""
        params = {"name": name, "workspace": workspace, "role": role}
        _done(actions.operate({"config": config, "data": data}, "users.create", params), json)

    @group.command("set", epilog="Example:  conflux users set ann --workspace acme --role owner")
    def set_user(
        name: Name,
        role: Annotated[str, typer.Option(help="owner, admin or member.")],
        workspace: Workspace = "default",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Change a user's role."""
        params = {"name": name, "workspace": workspace, "role": role}
        _done(actions.operate({"config": config, "data": data}, "users.set", params), json)

    @group.command(epilog="Example:  conflux users password ann --workspace acme")
    def password(
        name: Name,
        workspace: Workspace = "default",
        remove: Annotated[bool, typer.Option("--remove", help="Take it away: no more signing in.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Set the password that a user signs in to the web with: asked for, or the first line of standard input.

        Every session of the user ends, and failed attempts are forgotten.
        """
        said = None if remove else _password()
        params = {"name": name, "workspace": workspace, "password": said}
        _done(actions.operate({"config": config, "data": data}, "users.password", params), json)


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _add_user_verb(group: typer.Typer, actions: Operates, verb: str) -> None:
    def run(
        name: Name,
        workspace: Workspace = "default",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        params = {"name": name, "workspace": workspace}
        _done(actions.operate({"config": config, "data": data}, f"users.{verb}", params), json)

    run.__doc__ = _DOES[verb]
    group.command(verb, epilog=f"Example:  conflux users {verb} ann --workspace acme")(run)


def _on(row: dict[str, Any]) -> str:
    return "enabled" if row["enabled"] else "disabled"
