"""`conflux run`: a coding agent against this gateway, with a key of its own for as long as it runs.

Law: what stands after the client's name is the client's. A key made here is taken back when the client ends, however
it ends; a key given by the environment is the user's and stays.
"""

import os
import shutil
from typing import Annotated, Any, Protocol

import typer

from conflux.faces.launch import CLIENTS, KEY_VARIABLE, Launch
from conflux.neutral.errors import ConfigError

_EXPIRES = "7d"  # of a key that could not be taken back


class Actions(Protocol):
    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any: ...
    def start(self, launch: Launch) -> int:
        """Runs a program in this terminal to its end; its exit code."""
        ...


def add_run(app: typer.Typer, actions: Actions) -> None:
    @app.command(
        context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
        epilog="Examples:  conflux run claude   |   conflux run --model conflux/deepseek-v4-pro codex exec 'Fix the "
        "tests'   |   CONFLUX_KEY=cf_live_… conflux run --url https://gateway.example.com claude -p 'Hello'",
    )
    def run(
        client: Annotated[str, typer.Argument(help=f"Which one: {', '.join(CLIENTS)}.")],
        arguments: Annotated[list[str] | None, typer.Argument(help="Handed on as they are.")] = None,
        model: Annotated[str | None, typer.Option(help="The model it uses (default: its own choice).")] = None,
        storefront: Annotated[str | None, typer.Option(help="Whose catalogue its key opens.")] = None,
        url: Annotated[str | None, typer.Option(help="A gateway elsewhere; its key comes from CONFLUX_KEY.")] = None,
        config: Annotated[str | None, typer.Option("--config", help="Configuration file.")] = None,
        data: Annotated[str | None, typer.Option("--data", help="Data directory (default: ./data).")] = None,
    ) -> None:
        """Start Claude Code or Codex CLI against this gateway, if it is installed."""
        found = CLIENTS.get(client)
        if found is None:
            raise ConfigError([f"run: {client!r} is not a client this knows: there are {', '.join(CLIENTS)}"])
        if shutil.which(found.program) is None:
            raise ConfigError([f"run: {found.program} was not found: install it with `{found.install}`"])
        flags, key = {"config": config, "data": data}, os.environ.get(KEY_VARIABLE)
        if url is not None and key is None:
            raise ConfigError([f"run: --url needs a key of that gateway in {KEY_VARIABLE}"])
        address = (url or actions.operate(flags, "server.status", {})["address"]).rstrip("/").removesuffix("/v1")
        made = None
        if key is None:
            order = {"storefront": storefront, "name": f"conflux run {client}", "expires": _EXPIRES}
            made = actions.operate(flags, "keys.create", order)
            key = made["key"]
        try:
            code = actions.start(found.launch(address, key, model, arguments or (), dict(os.environ)))
        finally:
            if made is not None:
                actions.operate(flags, "keys.revoke", {"id": made["id"]})
        raise typer.Exit(code)
