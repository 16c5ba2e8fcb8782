"""`conflux workspaces` and `conflux users`: what is said becomes what is asked."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.cli_people import add_people

NOWHERE = {"config": None, "data": None}
WORKSPACE = {"id": "ws_2", "name": "acme", "enabled": True, "users": 1, "keys": 2, "created": 5}
USER = {"id": "user_2", "name": "ann", "workspace": "acme", "role": "admin", "enabled": False, "keys": 0, "created": 5}


class Played:
    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.heard.append((operation, flags, params))
        group, verb = operation.split(".")
        row = WORKSPACE if group == "workspaces" else USER
        return {group: [row]} if verb == "list" else row


def said(played: Played, *words: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    add_people(app, played)
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    ("words", "operation", "params"),
    [
        ("workspaces list", "workspaces.list", {}),
        ("workspaces create acme", "workspaces.create", {"name": "acme"}),
        ("workspaces set acme --name apex", "workspaces.set", {"name": "acme", "new_name": "apex"}),
        ("workspaces show acme", "workspaces.show", {"name": "acme"}),
        ("workspaces enable acme", "workspaces.enable", {"name": "acme"}),
        ("workspaces disable acme", "workspaces.disable", {"name": "acme"}),
        ("workspaces delete acme", "workspaces.delete", {"name": "acme"}),
        ("users list", "users.list", {"workspace": None}),
        ("users list --workspace acme", "users.list", {"workspace": "acme"}),
        ("users create ann", "users.create", {"name": "ann", "workspace": "default", "role": "member"}),
        ("users set ann --role owner", "users.set", {"name": "ann", "workspace": "default", "role": "owner"}),
        ("users show ann --workspace acme", "users.show", {"name": "ann", "workspace": "acme"}),
        ("users enable ann", "users.enable", {"name": "ann", "workspace": "default"}),
        ("users disable ann", "users.disable", {"name": "ann", "workspace": "default"}),
        ("users delete ann", "users.delete", {"name": "ann", "workspace": "default"}),
    ],
)
def test_each_command_is_one_operation(words: str, operation: str, params: dict[str, Any]) -> None:
    played = Played()
    plain = said(played, *words.split())
    assert plain.exit_code == 0 and ("acme" in plain.stdout or "ann" in plain.stdout)
    as_json = said(played, *words.split(), "--json", "--data", "d")
    json.loads(as_json.stdout)
    assert played.heard == [(operation, NOWHERE, params), (operation, {"config": None, "data": "d"}, params)]


@pytest.mark.parametrize("group", ["workspaces", "users"])
@pytest.mark.parametrize("verb", ["list", "create", "set", "show", "enable", "disable", "delete"])
def test_every_help_has_an_example(group: str, verb: str) -> None:
    found = said(Played(), group, verb, "--help").stdout
    assert f"Example:  conflux {group} {verb}" in " ".join(found.split()).replace("Example: ", "Example:  ")


def test_the_lists_say_what_is_off() -> None:
    assert "enabled" in said(Played(), "workspaces", "list").stdout
    assert "disabled" in said(Played(), "users", "list").stdout
