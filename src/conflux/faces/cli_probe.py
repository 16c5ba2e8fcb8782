"""`conflux probe`: ask a model's targets what they can do.

Law: one operation each; asking needs a running server, which has the connections and the credentials.
"""

from typing import Annotated

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, StorefrontFlag, out, out_json, table

_NAMES = ("target", "capability", "holds", "stated", "usable", "age_seconds", "tried_seconds")


def add_probe(app: typer.Typer, actions: Operates) -> None:
    @app.command(
        epilog="Examples:  conflux probe conflux/kimi-k2.6   |   conflux probe gpt-4o-mini --capability vision   |   "
        "conflux probe --json"
    )
    def probe(
        model: Annotated[str | None, typer.Argument(help="Ask its targets; without one, show what is known.")] = None,
        capability: Annotated[
            str | None, typer.Option(help="vision, tools or structured_outputs; all three without it.")
        ] = None,
        storefront: StorefrontFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Ask a model's targets what they can do, and keep what they show. It costs a few short requests."""
        flags = {"config": config, "data": data}
        if model is None:
            found = actions.operate(flags, "probe.list", {})
        else:
            wish = {"id": model, "storefront": storefront, "capability": capability}
            found = actions.operate(flags, "probe.run", wish)
        if json:
            out_json(found)
            return
        rows = [["-" if row[name] is None else str(row[name]) for name in _NAMES] for row in found["probes"]]
        table(["target", "what", "found", "stated", "usable", "age s", "tried s ago"], rows)
        for row in found["probes"] if model is not None else []:
            out("")
            out(f"{row['target']} {row['capability']}: {row['asked']}")
            for line in row["evidence"]:
                out(f"  {line}")
