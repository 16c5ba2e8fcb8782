"""`conflux catalogue …`: what providers say, what is proposed, what was decided.

Law: as cli.py: the answer alone on standard output, everything else on standard error. One source is looked at after
the other, so that whoever waits sees how far it is.
"""

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, out, out_json, table
from conflux.neutral.errors import ConfigError

_IDS = "Which, from `conflux catalogue diff`."


class CatalogueActions(Protocol):
    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any: ...
    def validate(self, flags: dict[str, Any], directory: Path | None) -> list[str]:
        """Every mistake of the catalogue as configured, this directory over the shipped one."""
        ...


def add_catalogue(app: typer.Typer, actions: CatalogueActions) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        help="Compare the catalogue with what the providers list, and decide what to take over.",
        rich_markup_mode=None,
    )
    app.add_typer(group, name="catalogue")
    _add_sync(group, actions)
    _add_diff(group, actions)
    _add_decisions(group, actions)
    _add_files(group, actions)


def _add_sync(group: typer.Typer, actions: CatalogueActions) -> None:
    @group.command(
        epilog="Examples:  conflux catalogue sync   |   conflux catalogue sync openrouter --dry-run --json   |   "
        "conflux catalogue sync --file models.json --provider openai"
    )
    def sync(
        providers: Annotated[list[str] | None, typer.Argument(help="Only these; all that are live otherwise.")] = None,
        file: Annotated[Path | None, typer.Option(help="Facts from a models.dev-style file, or a saved list.")] = None,
        provider: Annotated[str | None, typer.Option(help="Whose facts to take from the file.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; keep nothing.")] = False,
        believe: Annotated[bool, typer.Option("--believe", help="Take over a list that looks wrong.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Look at the providers' lists of models now. Prices and contexts become proposals, nothing else changes;
        exits 1 where a list could not be had or believed."""
        flags = {"config": config, "data": data}
        if file is not None:
            if providers or believe:
                raise ConfigError(["catalogue sync: --file goes with --provider and --dry-run only"])
            order = {"name": str(file), "content": _text(file), "provider": provider, "dry_run": dry_run}
            done = actions.operate(flags, "catalogue.file", order)
        elif provider is not None:
            raise ConfigError(["catalogue sync: --provider goes with --file; write the provider's name by itself"])
        else:
            done = _sync_each(actions, flags, providers or [], {"dry_run": dry_run, "believe": believe})
        out_json(done) if json else _show_sync(done)
        if any(one["outcome"] != "ok" for one in done["sources"]):
            raise typer.Exit(1)


def _sync_each(
    actions: CatalogueActions, flags: dict[str, Any], providers: list[str], order: dict[str, Any]
) -> dict[str, Any]:
    names = providers or actions.operate(flags, "catalogue.sources", {})["providers"]
    done: dict[str, Any] = {"dry_run": order["dry_run"], "sources": [], "proposals": {"open": 0, "new": 0}}
    if not names:
        print("conflux: no provider is live: nothing to look at", file=sys.stderr)
    new = 0
    for name in _watched(names):
        one = actions.operate(flags, "catalogue.sync", {"providers": [name], **order})
        new += one["proposals"]["new"]
        seen = {(change["table"], *change["key"], change["field"]) for change in done.get("changes", ())}
        # of a dry run each answer has what is known of the others, so only the new is added
        fresh = [
            change for change in one.get("changes", ())
            if (change["table"], *change["key"], change["field"]) not in seen
        ]  # fmt: skip
        if "changes" in one:
            done["changes"] = [*done.get("changes", ()), *fresh]
        done["sources"] += one["sources"]
        done["proposals"] = {"open": one["proposals"]["open"], "new": new}
    return done


def _watched(names: list[str]) -> Any:
    """The names, with a bar on standard error where somebody looks."""
    if not sys.stderr.isatty() or len(names) < 2:
        return names
    from rich.console import Console
    from rich.progress import track

    return track(names, description="providers", console=Console(stderr=True), transient=True)


def _show_sync(done: dict[str, Any]) -> None:
    rows = [
        [one["provider"], one["kind"], one["outcome"], str(one["models"]), one["detail"]] for one in done["sources"]
    ]
    if rows:
        table(["provider", "source", "outcome", "models", ""], rows)
    for one in done["sources"]:
        for word, text in (("vanished", "does not list"), ("back", "lists again"), ("unlisted", "never listed")):
            for name in one[word]:
                out(f"{one['provider']} {text} {name}")
        for note in one["notes"]:
            print(f"conflux: {one['provider']}: {note}", file=sys.stderr)
    if "changes" in done:
        _show_changes(done["changes"])
    proposals = done["proposals"]
    out(f"{proposals['open']} proposals" + (f", {proposals['new']} of them new" if not done["dry_run"] else ""))


def _add_diff(group: typer.Typer, actions: CatalogueActions) -> None:
    @group.command(epilog="Examples:  conflux catalogue diff   |   conflux catalogue diff --history --json")
    def diff(
        history: Annotated[bool, typer.Option("--history", help="Decided ones too, with who and when.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """What the providers state otherwise than the catalogue."""
        found = actions.operate({"config": config, "data": data}, "catalogue.diff", {"history": history})
        if json:
            out_json(found)
            return
        _show_changes(found["changes"], history=history)
        for one in found["missing"]:
            out(f"missing  {one['target']}: not listed since {_moment(one['since'])}; tried last")
        for line in found["remarks"]:
            out(f"remark   {line}")
        for one in found["sources"]:
            if one["outcome"] != "ok":
                good = _moment(one["good"]) if one["good"] is not None else "never"
                out(f"{one['outcome']:8} {one['provider']}: {one['detail']} (last good list: {good})")
        if not any(found[name] for name in ("changes", "missing", "remarks")):
            out("nothing: the catalogue says what its providers say, as far as they were seen")


def _show_changes(changes: list[dict[str, Any]], *, history: bool = False) -> None:
    if not changes:
        return
    rows = []
    for one in changes:
        row = [str(one["id"] or ""), " ".join(one["key"]), one["field"], _differences(one), one["source"]]
        if history:
            decided = f"{one['decided_by']}, {_moment(one['decided'])}" if one["decided"] is not None else ""
            row += [one["state"], decided]
        rows.append(row)
    table(["id", "what", "field", "change", "says", *(["state", "by"] if history else [])], rows)


def _differences(one: dict[str, Any]) -> str:
    if one["field"] == "row":
        return ", ".join(one["new"])
    parts = []
    for name, new in one["new"].items():
        old = one["old"].get(name)
        if isinstance(new, dict):
            parts += [f"{bucket} {_shown((old or {}).get(bucket))} → {value}" for bucket, value in new.items()]
        else:
            parts.append(f"{name} {_shown(old)} → {new}" if len(one["new"]) > 1 else f"{_shown(old)} → {new}")
    return ", ".join(parts)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _add_decisions(group: typer.Typer, actions: CatalogueActions) -> None:
    def decide(what: str, ids: list[int] | None, everything: bool, flags: dict[str, Any], json: bool) -> None:
        order = {"ids": ids or [], "all": everything, "by": _who()}
        done = actions.operate(flags, f"catalogue.{what}", order)
        if json:
            out_json(done)
            return
        for one in done[f"{what}ed"]:
            out(f"{what}ed {one['id']}: {' '.join(one['key'])} {one['field']} {_differences(one)}")

    @group.command(epilog="Examples:  conflux catalogue accept 3 4   |   conflux catalogue accept --all --json")
    def accept(
        ids: Annotated[list[int] | None, typer.Argument(help=_IDS)] = None,
        everything: Annotated[bool, typer.Option("--all", help="All open proposals.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Take proposals over. They count at once, as a new version of the price; receipts keep the old one."""
        decide("accept", ids, everything, {"config": config, "data": data}, json)

    @group.command(epilog="Examples:  conflux catalogue reject 3   |   conflux catalogue reject --all")
    def reject(
        ids: Annotated[list[int] | None, typer.Argument(help=_IDS + " An accepted one is taken back.")] = None,
        everything: Annotated[bool, typer.Option("--all", help="All open proposals.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Refuse proposals: the same ones are not made again. With the id of an accepted one: take it back."""
        decide("reject", ids, everything, {"config": config, "data": data}, json)


def _who() -> str:
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "command line"


def _add_files(group: typer.Typer, actions: CatalogueActions) -> None:
    @group.command(
        "import",
        epilog="Examples:  conflux catalogue import models.csv > own.toml   |   "
        "conflux catalogue import models.json --store",
    )
    def import_(
        file: Annotated[Path, typer.Argument(help="A .toml, .json or .csv file of models.")],
        store: Annotated[
            bool, typer.Option("--store", help="Keep the rows: they count at once, a price from its own day.")
        ] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Check rows of models like the shipped ones, and print them as TOML or keep them."""
        order = {"name": str(file), "content": _text(file), "store": store, "by": _who()}
        done = actions.operate({"config": config, "data": data}, "catalogue.import", order)
        if json:
            out_json(done)
        elif store:
            counts = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in done["rows"].items())
            out(f"kept {counts} as changes {', '.join(map(str, done['ids']))}"
                + (f"; {done['later']} begin later" if done["later"] else ""))  # fmt: skip
        else:
            out(done["toml"].rstrip("\n"))

    @group.command(
        epilog="Examples:  conflux catalogue validate   |   conflux catalogue validate ./own-catalogue --json"
    )
    def validate(
        directory: Annotated[Path | None, typer.Argument(help="A directory of .toml files, over the shipped.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Every mistake of the catalogue's files at once, a line each; exits 1 where there is one."""
        found = actions.validate({"config": config, "data": data}, directory)
        if json:
            out_json({"problems": found})
        else:
            for line in found:
                out(line)
            if not found:
                print("conflux: the catalogue holds together", file=sys.stderr)
        if found:
            raise typer.Exit(1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError([f"{file}: not a text file in UTF-8"]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from None
