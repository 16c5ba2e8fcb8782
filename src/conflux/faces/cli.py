"""The command line.

Law: standard output is the answer alone (with --json pure JSON), everything else goes to standard error. A mistake is a
line that says what, where and what to do, and exit code 2; nobody sees a traceback for a wrong flag.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import typer

from conflux.faces.cli_backup import Tell, add_backup
from conflux.faces.cli_budgets import add_budgets
from conflux.faces.cli_common import (
    ConfigFlag,
    DataFlag,
    JsonFlag,
    StorefrontFlag,
    fields,
    out,
    out_json,
    table,
)
from conflux.faces.cli_credits import add_credits
from conflux.faces.cli_explain import add_explain
from conflux.faces.cli_ledger import Books, add_ledger
from conflux.faces.cli_people import add_people
from conflux.faces.cli_policies import add_policies
from conflux.faces.cli_probe import add_probe
from conflux.faces.cli_retention import add_retention
from conflux.faces.cli_run import add_run
from conflux.faces.launch import Launch

SERVE = "serve"


class Actions(Protocol):
    """What the commands do, given by the wiring. Flags are what was said, unset ones None."""

    version: str

    def serve(self, flags: dict[str, Any]) -> None: ...
    def simulate(self, host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None: ...
    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any: ...
    def show_config(self, flags: dict[str, Any]) -> dict[str, Any]: ...
    def doctor(self, flags: dict[str, Any]) -> list[tuple[str, bool, str]]:
        """(what was looked at, is it well, what was found and what to do)."""
        ...

    def verify(self, flags: dict[str, Any]) -> dict[str, int]: ...
    def backup(self, flags: dict[str, Any], file: Path, tell: Tell, *, force: bool) -> None: ...
    def restore(self, flags: dict[str, Any], file: Path, *, force: bool) -> Path | None: ...
    def books(self, flags: dict[str, Any]) -> Books: ...
    def start(self, launch: Launch) -> int: ...


def build(actions: Actions, word: str | None = None) -> typer.Typer:
    """`word`: the command that is asked for, where it is known: a start need not make the sixty others."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Conflux: a self-hosted gateway to language models.\n\nStart with `conflux serve`.",
        rich_markup_mode=None,
    )

    @app.callback(invoke_without_command=True)
    def root(
        version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    ) -> None:
        if version:
            out(actions.version)
            raise typer.Exit

    _add_serve(app, actions)
    if word == SERVE:
        return app
    _add_sim(app, actions)
    _add_keys(app, actions)
    _add_models(app, actions)
    add_people(app, actions)
    add_policies(app, actions)
    add_budgets(app, actions)
    add_probe(app, actions)
    add_explain(app, actions)
    add_credits(app, actions)
    _add_config(app, actions)
    add_ledger(app, actions)
    add_backup(app, actions)
    add_retention(app, actions)
    add_run(app, actions)
    return app


def _add_serve(app: typer.Typer, actions: Actions) -> None:
    @app.command(
        epilog="Examples:  conflux serve   |   conflux serve --port 9000 --data /var/lib/conflux   |   … --sim"
    )
    def serve(
        config: ConfigFlag = None,
        data: DataFlag = None,
        host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
        port: Annotated[int | None, typer.Option(help="Port to listen on (default: 8080; 0 picks a free one).")] = None,
        workers: Annotated[int | None, typer.Option(help="Processes; more than one needs PostgreSQL.")] = None,
        sim: Annotated[bool, typer.Option("--sim", help="Keep the simulator beside real providers.")] = False,
    ) -> None:
        """Run the gateway. With no provider configured, every answer is simulated and labelled so."""
        actions.serve(
            {"config": config, "data": data, "host": host, "port": port, "workers": workers, "sim": sim or None}
        )

    @app.command(epilog="Examples:  conflux doctor   |   conflux doctor --json --config /etc/conflux.toml")
    def doctor(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """Look at configuration, store and providers, and say what is wrong; providers are connected to, not asked."""
        found = actions.doctor({"config": config, "data": data})
        well = all(one for _, one, _ in found)
        if json:
            rows = [{"what": what, "well": one, "text": text} for what, one, text in found]
            out_json({"well": well, "findings": rows})
        else:
            for what, one, text in found:
                out(f"{'ok  ' if one else 'BAD '} {what}: {text}")
        if not well:
            raise typer.Exit(1)

    @app.command(epilog="Example:  conflux reload --data /var/lib/conflux")
    def reload(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """Have the running server read its configuration again (the same as SIGHUP)."""
        done = actions.operate({"config": config, "data": data}, "server.reload", {})
        if json:
            out_json(done)
            return
        out(f"read again: {done['models']} models")
        if done["restart"]:
            print(f"conflux: only a restart takes over {', '.join(done['restart'])}", file=sys.stderr)

    @app.command(epilog="Example:  conflux status --json")
    def status(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """What the running server is doing."""
        done = actions.operate({"config": config, "data": data}, "server.status", {})
        if json:
            out_json(done)
            return
        for name, value in done.items():
            out(f"{name:16} {value}")


def _add_sim(app: typer.Typer, actions: Actions) -> None:
    @app.command(epilog="Examples:  conflux sim --port 9100   |   conflux sim --script faults.toml --log sim.jsonl")
    def sim(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on (0 picks a free one).")] = 9100,
        script: Annotated[Path | None, typer.Option(help="A file of rules, see docs/simulator.md.")] = None,
        log: Annotated[Path | None, typer.Option(help="Append what is received and delivered to this file.")] = None,
        pace: Annotated[float, typer.Option(help="Tokens per second (0: as fast as they go).")] = 0.0,
    ) -> None:
        """Run the simulator by itself: an OpenAI-compatible upstream that makes its answers up."""
        actions.simulate(host, port, script, log, pace)


def _add_keys(app: typer.Typer, actions: Actions) -> None:
    keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.", rich_markup_mode=None)
    app.add_typer(keys, name="keys")

    @keys.command(
        epilog="Examples:  conflux keys create --storefront conflux --name laptop --json   |   "
        "conflux keys create --test   |   conflux keys create --budget-usd 5 --models gpt-4o-mini,claude-sonnet"
    )
    def create(
        storefront: StorefrontFlag = None,
        name: Annotated[str, typer.Option(help="What you will know it by.")] = "",
        workspace: Annotated[str, typer.Option(help="Workspace.")] = "default",
        user: Annotated[str, typer.Option(help="User.")] = "default",
        admin: Annotated[bool, typer.Option("--admin", help="An admin key: every storefront, every receipt.")] = False,
        test: Annotated[bool, typer.Option("--test", help="Runs on the simulator only and costs nothing.")] = False,
        agent: Annotated[bool, typer.Option("--agent", help="A subscription agent's key.")] = False,
        budget_usd: Annotated[str | None, typer.Option("--budget-usd", help="Lifetime cap, for example 5.00.")] = None,
        models: Annotated[str | None, typer.Option(help="Only these models, comma between them.")] = None,
        expires: Annotated[str | None, typer.Option(help="2026-12-31, or a span such as 30d.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Make a key. It is shown once; it works at once."""
        params = {
            "storefront": storefront,
            "name": name,
            "workspace": workspace,
            "user": user,
            "admin": admin,
            "test": test,
            "agent": agent,
            "budget_usd": budget_usd,
            "models": [one.strip() for one in models.split(",") if one.strip()] if models is not None else None,
            "expires": expires,
        }
        made = actions.operate({"config": config, "data": data}, "keys.create", params)
        for note in made.pop("notes", ()):
            print(f"conflux: {note}", file=sys.stderr)
        if json:
            out_json(made)
        else:
            out(made["key"])
            print("conflux: this key is shown once; keep it well", file=sys.stderr)

    _add_keys_list(keys, actions)


def _add_keys_list(keys: typer.Typer, actions: Actions) -> None:
    @keys.command("list", epilog="Example:  conflux keys list --json")
    def list_keys(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """All keys, without their secrets."""
        found = actions.operate({"config": config, "data": data}, "keys.list", {})
        if json:
            out_json(found)
            return
        rows = [
            [row["id"], row["name"], f"{row['prefix']}…{row['last4']}", row["storefront"], row["spent_usd"],
             row["budget_usd"] or "-", _kind(row)]
            for row in found["keys"]
        ]  # fmt: skip
        table(["id", "name", "key", "storefront", "spent $", "budget $", "kind"], rows)

    @keys.command(epilog="Example:  conflux keys revoke key_7")
    def revoke(
        key_id: Annotated[str, typer.Argument(help="The key's id, from `conflux keys list`.")],
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Take a key back. It stops working at once."""
        done = actions.operate({"config": config, "data": data}, "keys.revoke", {"id": key_id})
        out_json(done) if json else out(f"revoked {done['id']}")


def _kind(row: dict[str, Any]) -> str:
    words = [word for word in ("admin", "test", "agent", "revoked") if row[word]]
    return " ".join(words) or "live"


def _add_models(app: typer.Typer, actions: Actions) -> None:
    models = typer.Typer(
        no_args_is_help=True, help="Look at the catalogue, switch models on and off.", rich_markup_mode=None
    )
    app.add_typer(models, name="models")

    @models.command("list", epilog="Example:  conflux models list --storefront conflux --all --json")
    def list_models(
        storefront: StorefrontFlag = None,
        everything: Annotated[bool, typer.Option("--all", help="Disabled ones too.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """The models of the catalogue."""
        params = {"storefront": storefront, "all": everything}
        found = actions.operate({"config": config, "data": data}, "models.list", params)
        if json:
            out_json(found)
            return
        rows = [
            [row["storefront"], row["id"], row["role"] or "-", row["context_text"],
             f"{_money(row['input_usd_per_million'])} / {_money(row['output_usd_per_million'])}",
             row["status"] + ("" if row["live"] else ", no live target")]
            for row in found["models"]
        ]  # fmt: skip
        table(["storefront", "model", "role", "context", "in / out per 1M", "status"], rows)

    @models.command(epilog="Example:  conflux models show gpt-4o-mini --json")
    def show(
        model: Annotated[str, typer.Argument(help="An id or an alias.")],
        storefront: StorefrontFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Everything about one model."""
        params = {"id": model, "storefront": storefront}
        found = actions.operate({"config": config, "data": data}, "models.show", params)
        if json:
            out_json(found)
            return
        for row in found["models"]:
            fields(row)
            out("")

    _add_switches(models, actions)


def _add_switches(models: typer.Typer, actions: Actions) -> None:
    def switch(operation: str, model: str, storefront: str | None, flags: dict[str, Any], json: bool) -> None:
        done = actions.operate(flags, operation, {"id": model, "storefront": storefront})
        if json:
            out_json(done)
            return
        for row in done["models"]:
            out(f"{row['status']} {row['id']} ({row['storefront']})")

    @models.command(epilog="Example:  conflux models disable conflux/kimi-k2.5 --storefront conflux")
    def disable(
        model: Annotated[str, typer.Argument(help="An id or an alias.")],
        storefront: StorefrontFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Switch a model off: unlisted and unknown at once, for everybody."""
        switch("models.disable", model, storefront, {"config": config, "data": data}, json)

    @models.command(epilog="Example:  conflux models enable conflux/kimi-k2.5")
    def enable(
        model: Annotated[str, typer.Argument(help="An id or an alias.")],
        storefront: StorefrontFlag = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Switch a model on, whatever the catalogue says."""
        switch("models.enable", model, storefront, {"config": config, "data": data}, json)


def _money(text: str | None) -> str:
    return "-" if text is None else text


def _add_config(app: typer.Typer, actions: Actions) -> None:
    config_app = typer.Typer(no_args_is_help=True, help="Look at the configuration.", rich_markup_mode=None)
    app.add_typer(config_app, name="config")

    @config_app.command(epilog="Example:  conflux config show --config /etc/conflux.toml")
    def show(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """The merged configuration, secrets redacted."""
        found = actions.show_config({"config": config, "data": data})
        if json:
            out_json(found)
        else:
            out(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
