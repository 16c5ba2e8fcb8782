"""`conflux retention`: what is kept for how long, and what of it is over.

Law: each command is one operation, beside a running server or without one.
"""

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out_json, table


def add_retention(app: typer.Typer, actions: Operates) -> None:
    group = typer.Typer(no_args_is_help=True, help="See how long what is kept, and end it.", rich_markup_mode=None)
    app.add_typer(group, name="retention")

    @group.command(epilog="Example:  conflux retention show --json")
    def show(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """What is kept, for how long, and how much of it is over and not yet swept."""
        found = actions.operate({"config": config, "data": data}, "retention.show", {})
        if json:
            out_json(found)
            return
        table(["what", "kept for", "over"], [[row["kind"], row["for"], str(row["over"])] for row in found["kept"]])

    @group.command(epilog="Example:  conflux retention sweep")
    def sweep(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """End now what is over. A running server does it by itself every ten minutes."""
        done = actions.operate({"config": config, "data": data}, "retention.sweep", {})
        out_json(done) if json else fields({kind: str(count) for kind, count in done["ended"].items()})
