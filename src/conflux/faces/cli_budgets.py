"""`conflux budgets`: how much a storefront, a workspace, a user or a key may spend.

Law: each command is one operation; what it changed counts when it returns.
"""

from typing import Annotated

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out_json, table
from conflux.neutral.errors import ConfigError


def add_budgets(app: typer.Typer, actions: Operates) -> None:
    group = typer.Typer(no_args_is_help=True, help="Say how much may be spent.", rich_markup_mode=None)
    app.add_typer(group, name="budgets")

    @group.command("list", epilog="Example:  conflux budgets list --json")
    def list_budgets(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """All caps, and what of them is used."""
        found = actions.operate({"config": config, "data": data}, "budgets.list", {})
        if json:
            out_json(found)
            return
        names = ("kind", "owner", "window", "cap_usd", "spent_usd", "held_usd")
        table(["of", "whose", "window", "cap $", "spent $", "held $"],
              [[row[name] for name in names] for row in found["budgets"]])  # fmt: skip

    @group.command(
        "set",
        epilog="Examples:  conflux budgets set --workspace acme --usd 100 --window month   |   "
        "conflux budgets set --workspace acme --user ann --usd 5 --window day   |   "
        "conflux budgets set --storefront conflux --usd 1000 --window month   |   "
        "conflux budgets set --key key_7 --no-cap",
    )
    def set_budget(
        workspace: Annotated[str | None, typer.Option(help="The workspace's, or where the user is.")] = None,
        user: Annotated[str | None, typer.Option(help="A user's.")] = None,
        key: Annotated[str | None, typer.Option(help="A key's, by its id.")] = None,
        storefront: Annotated[str | None, typer.Option(help="All that is asked of a storefront.")] = None,
        usd: Annotated[str | None, typer.Option(help="The cap, for example 5.00.")] = None,
        no_cap: Annotated[bool, typer.Option("--no-cap", help="Take the cap away; it is still counted.")] = False,
        window: Annotated[str, typer.Option(help="total, day, week or month (UTC).")] = "total",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Cap what may be spent in all, or by day, week or month."""
        if (usd is None) is not no_cap:
            raise ConfigError(["budgets set: say either --usd AMOUNT or --no-cap"])
        said = {"workspace": workspace, "user": user, "key": key, "storefront": storefront}
        params = {name: value for name, value in said.items() if value is not None}
        done = actions.operate(
            {"config": config, "data": data}, "budgets.set", {**params, "window": window, "usd": usd}
        )
        out_json(done) if json else fields(done)
