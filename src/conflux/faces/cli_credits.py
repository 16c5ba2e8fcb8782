"""`conflux credits` and `conflux plans`: what requests are paid with besides money.

Law: each command is one operation; what it changed counts when it returns.
"""

from typing import Annotated, Any

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out, out_json, table

WorkspaceFlag = Annotated[str | None, typer.Option(help="The workspace's, or where the user is.")]
UserFlag = Annotated[str | None, typer.Option(help="A user's.")]
KeyFlag = Annotated[str | None, typer.Option(help="A key's, by its id.")]


def add_credits(app: typer.Typer, actions: Operates) -> None:
    group = typer.Typer(no_args_is_help=True, help="Give workspaces credits.", rich_markup_mode=None)
    app.add_typer(group, name="credits")

    @group.command(
        "grant",
        epilog="Examples:  conflux credits grant 500 --workspace acme --note 'invoice 17'   |   "
        "conflux credits grant 25.5 --workspace acme --expires 30d",
    )
    def grant(
        credits: Annotated[str, typer.Argument(help="How many, for example 500 or 0.25.")],
        workspace: Annotated[str, typer.Option(help="Whose.")] = "default",
        expires: Annotated[str | None, typer.Option(help="A date, a time, or a span such as 30d.")] = None,
        note: Annotated[str, typer.Option(help="What they were given for.")] = "",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Give credits. From its first grant on, a workspace pays with credits where a storefront counts them."""
        wish = {"workspace": workspace, "credits": credits, "expires": expires, "note": note}
        done = actions.operate({"config": config, "data": data}, "credits.grant", wish)
        out_json(done) if json else fields(done)

    @group.command("list", epilog="Example:  conflux credits list --workspace acme --json")
    def list_credits(
        workspace: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Balances, and every grant with what is left of it."""
        found = actions.operate({"config": config, "data": data}, "credits.list", {"workspace": workspace})
        if json:
            out_json(found)
            return
        _rows(["workspace", "credits", "held"], found["balances"])
        out("")
        _rows(["id", "workspace", "credits", "left", "created", "expires", "status", "note"], found["grants"])

    @group.command("revoke", epilog="Example:  conflux credits revoke grant_3")
    def revoke(
        grant_id: Annotated[str, typer.Argument(metavar="ID", help="The grant's id.")],
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """End a grant now. What requests under way hold of it they may still spend."""
        done = actions.operate({"config": config, "data": data}, "credits.revoke", {"id": grant_id})
        out_json(done) if json else fields(done)

    _add_plans(app, actions)


def _add_plans(app: typer.Typer, actions: Operates) -> None:
    group = typer.Typer(no_args_is_help=True, help="Say which plan pays for agent keys.", rich_markup_mode=None)
    app.add_typer(group, name="plans")

    @group.command("list", epilog="Example:  conflux plans list --json")
    def list_plans(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """The catalogue's plans, and who is subscribed."""
        found = actions.operate({"config": config, "data": data}, "plans.list", {})
        if json:
            out_json(found)
            return
        plans = [{**one, "windows": "; ".join(_window(window) for window in one["windows"])} for one in found["plans"]]
        _rows(["id", "name", "storefront", "default", "windows"], plans)
        out("")
        _rows(["kind", "owner", "plan", "since"], found["subscriptions"])

    @group.command(
        "subscribe",
        epilog="Examples:  conflux plans subscribe agents --workspace acme   |   "
        "conflux plans subscribe agents --workspace acme --user ann   |   conflux plans subscribe agents --key key_7",
    )
    def subscribe(
        plan: Annotated[str, typer.Argument(help="The plan's id.")],
        workspace: WorkspaceFlag = None,
        user: UserFlag = None,
        key: KeyFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Let a plan pay. A key's own plan counts before its user's, that before its workspace's."""
        wish = {"plan": plan, **_owner(workspace, user, key)}
        done = actions.operate({"config": config, "data": data}, "plans.subscribe", wish)
        out_json(done) if json else fields(done)

    @group.command("unsubscribe", epilog="Example:  conflux plans unsubscribe --workspace acme --user ann")
    def unsubscribe(
        workspace: WorkspaceFlag = None,
        user: UserFlag = None,
        key: KeyFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """End a subscription now. Requests under way are still paid by it."""
        wish = _owner(workspace, user, key)
        done = actions.operate({"config": config, "data": data}, "plans.unsubscribe", wish)
        out_json(done) if json else fields(done)


def _owner(workspace: str | None, user: str | None, key: str | None) -> dict[str, str]:
    said = {"workspace": workspace, "user": user, "key": key}
    return {name: value for name, value in said.items() if value is not None}


def _window(one: dict[str, Any]) -> str:
    parts = [f"{one[name]} {name}" for name in ("requests", "tokens") if one[name] is not None]
    return f"{' and '.join(parts)} in {one['window']}"


def _rows(names: list[str], rows: list[dict[str, Any]]) -> None:
    table(names, [["-" if row[name] is None else str(row[name]) for name in names] for row in rows])
