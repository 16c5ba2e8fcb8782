"""`conflux policies`: what a workspace, a user or a key may run, and how fast.

Law: each command is one operation; what is not said stays as it is, what is cleared is as if it had never been said.
"""

from typing import Annotated, Any

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out, out_json, table
from conflux.neutral.errors import ConfigError
from conflux.neutral.policies import Terms

OfWorkspace = Annotated[str | None, typer.Option("--workspace", help="The workspace's, or where the user is.")]
OfUser = Annotated[str | None, typer.Option("--user", help="A user's.")]
OfKey = Annotated[str | None, typer.Option("--key", help="A key's, by its id.")]
Allow = Annotated[str | None, typer.Option(help="Only these: ids or patterns, comma between them.")]
Deny = Annotated[str | None, typer.Option(help="None of these.")]
Entitle = Annotated[str | None, typer.Option(help="May use these of the models with a connected account.")]
Rule = Annotated[
    list[str] | None,
    typer.Option(
        help="For coding agents, the first that matches decides: 'CLIENT allow MODELS', 'CLIENT deny MODELS' or "
        "'CLIENT substitute MODELS by MODEL'; CLIENT is claude-code, codex or any. Said again for more; replaces all."
    ),
]
Rpm = Annotated[int | None, typer.Option("--requests-per-minute", help="Requests a minute.")]
Tpm = Annotated[int | None, typer.Option("--tokens-per-minute", help="Tokens a minute.")]
Concurrent = Annotated[int | None, typer.Option(help="Requests at once.")]
Clear = Annotated[list[str] | None, typer.Option(help="Take a field away, for example allow or concurrent.")]

_EXAMPLES = (
    "Examples:  conflux policies {0} --workspace acme --allow 'conflux/*' --deny conflux/kimi-k2.5   |   "
    "conflux policies {0} --workspace acme --user ann --requests-per-minute 60 --concurrent 4   |   "
    "conflux policies {0} --workspace acme --rule 'claude-code substitute claude-haiku-* by conflux/minimax-m2.7'"
)
_DOES = {
    "show": "One policy.",
    "enable": "Put a policy in force again.",
    "disable": "Keep a policy, but as if it were not there.",
    "delete": "Remove a policy.",
}


def add_policies(app: typer.Typer, actions: Operates) -> None:
    group = typer.Typer(no_args_is_help=True, help="Say who may run what, and how fast.", rich_markup_mode=None)
    app.add_typer(group, name="policies")
    _add_list(group, actions)
    _add_change(group, actions, "create", "Make a policy for a workspace, a user or a key.")
    _add_change(group, actions, "set", "Change a policy, or make it.")
    for verb in _DOES:
        _add_verb(group, actions, verb)
    _add_preview(group, actions)


def _add_list(group: typer.Typer, actions: Operates) -> None:
    @group.command("list", epilog="Example:  conflux policies list --json")
    def list_policies(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """All policies."""
        found = actions.operate({"config": config, "data": data}, "policies.list", {})
        if json:
            out_json(found)
            return
        rows = [
            [row["id"], row["kind"], row["owner"], "enabled" if row["enabled"] else "disabled",
             ", ".join(row["terms"]) or "-"]
            for row in found["policies"]
        ]  # fmt: skip
        table(["id", "of", "whose", "status", "says"], rows)


def _add_change(group: typer.Typer, actions: Operates, verb: str, does: str) -> None:
    def run(
        workspace: OfWorkspace = None,
        user: OfUser = None,
        key: OfKey = None,
        allow: Allow = None,
        deny: Deny = None,
        entitle: Entitle = None,
        rule: Rule = None,
        requests_per_minute: Rpm = None,
        tokens_per_minute: Tpm = None,
        concurrent: Concurrent = None,
        clear: Clear = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        said = {
            "allow": names(allow),
            "deny": names(deny),
            "entitle": names(entitle),
            "overrides": [understood(one) for one in rule] if rule else None,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "concurrent": concurrent,
        }
        terms = {name: value for name, value in said.items() if value is not None} | cleared(clear or [])
        if verb == "set" and not terms:
            raise ConfigError(["policies set: say what is to change, see `conflux policies set --help`"])
        params = {**_whose(workspace, user, key), "terms": terms}
        _print(actions.operate({"config": config, "data": data}, f"policies.{verb}", params), json)

    run.__doc__ = does
    group.command(verb, epilog=_EXAMPLES.format(verb))(run)


def _add_verb(group: typer.Typer, actions: Operates, verb: str) -> None:
    def run(
        workspace: OfWorkspace = None,
        user: OfUser = None,
        key: OfKey = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        params = _whose(workspace, user, key)
        _print(actions.operate({"config": config, "data": data}, f"policies.{verb}", params), json)

    run.__doc__ = _DOES[verb]
    group.command(verb, epilog=f"Example:  conflux policies {verb} --workspace acme --user ann")(run)


def _add_preview(group: typer.Typer, actions: Operates) -> None:
    @group.command(epilog="Examples:  conflux policies preview --key key_7   |   … --client claude-code --json")
    def preview(
        key: Annotated[str, typer.Option("--key", help="The key's id, from `conflux keys list`.")],
        client: Annotated[str | None, typer.Option(help="As if it were called by claude-code or codex.")] = None,
        storefront: Annotated[str | None, typer.Option(help="Another storefront, for an admin's key.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """What a key sees, and why it does not see the rest."""
        params = {"key": key, "client": client, "storefront": storefront}
        found = actions.operate({"config": config, "data": data}, "policies.preview", params)
        if json:
            out_json(found)
            return
        if found["problem"]:
            out(f"this key opens nothing: {found['problem']}\n")
        rows = [[row["id"], row["status"] or "-", row["served"] or "-", row["reason"] or ""] for row in found["models"]]
        table(["model", "listed", "runs", "why not"], rows)


def names(text: str | None) -> list[str] | None:
    """Comma between them; nothing said is nothing, an empty text an empty list."""
    return None if text is None else [one.strip() for one in text.split(",") if one.strip()]


def understood(text: str) -> dict[str, Any]:
    """A rule as people write it."""
    words = text.replace(",", " ").split()
    place = words.index("by") if "by" in words else len(words)
    if len(words) < 3 or place < 3 or len(words) - place not in (0, 2):
        raise ConfigError(
            [f"--rule {text!r}: write 'CLIENT allow MODELS', 'CLIENT deny MODELS' or "
             "'CLIENT substitute MODELS by MODEL'"]
        )  # fmt: skip
    found: dict[str, Any] = {"client": words[0], "action": words[1], "models": words[2:place]}
    return found | ({"to": words[-1]} if place < len(words) else {})


def cleared(fields: list[str]) -> dict[str, None]:
    known = Terms.__struct_fields__
    wanted = [one.strip().replace("-", "_").removesuffix("s") for one in fields]
    meant = {name.removesuffix("s"): name for name in known} | {"rule": "overrides"}
    unknown = [one for one, word in zip(fields, wanted, strict=True) if word not in meant]
    if unknown:
        raise ConfigError([f"--clear {one}: there is no such field; there are {', '.join(known)}" for one in unknown])
    return {meant[word]: None for word in wanted}


def _whose(workspace: str | None, user: str | None, key: str | None) -> dict[str, str]:
    said = {"workspace": workspace, "user": user, "key": key}
    return {name: value for name, value in said.items() if value is not None}


def _print(found: dict[str, Any], json: bool) -> None:
    if json:
        out_json(found)
        return
    terms = found.pop("terms", {})
    fields({**found, **{name: value for name, value in terms.items() if name != "overrides"}})
    for rule in terms.get("overrides", ()):
        instead = f" by {rule['to']}" if "to" in rule else ""
        out(f"{'rule':24} {rule.get('client', 'any')} {rule['action']} {' '.join(rule['models'])}{instead}")
