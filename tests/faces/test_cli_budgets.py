"""`conflux budgets`: what is said becomes what is asked."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.cli_budgets import add_budgets
from conflux.neutral.errors import ConfigError
from tests.faces.played import Played

ROW = {"kind": "user", "owner": "acme/ann", "window": "day", "cap_usd": "5", "spent_usd": "1", "held_usd": "0"}


class Server(Played):
    def answer(self, operation: str) -> Any:
        return {"budgets": [ROW]} if operation == "budgets.list" else ROW


def said(played: Played, *words: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    add_budgets(app, played)
    return CliRunner().invoke(app, ["budgets", *words])


def test_what_is_said_is_asked() -> None:
    played = Server()
    assert "acme/ann" in said(played, "list").stdout
    assert json.loads(said(played, "list", "--json").stdout) == {"budgets": [ROW]}
    assert "acme/ann" in said(played, "set", "--workspace", "acme", "--user", "ann", "--usd", "5").stdout
    json.loads(said(played, "set", "--key", "key_1", "--no-cap", "--window", "day", "--json").stdout)
    said(played, "set", "--storefront", "conflux", "--usd", "5")
    assert played.heard[2:] == [
        ("budgets.set", {"workspace": "acme", "user": "ann", "window": "total", "usd": "5"}),
        ("budgets.set", {"key": "key_1", "window": "day", "usd": None}),
        ("budgets.set", {"storefront": "conflux", "window": "total", "usd": "5"}),
    ]


@pytest.mark.parametrize("words", [(), ("--usd", "5", "--no-cap")])
def test_a_cap_is_an_amount_or_none(words: tuple[str, ...]) -> None:
    played = Server()
    assert isinstance(said(played, "set", "--key", "k", *words).exception, ConfigError)
    assert played.heard == []


@pytest.mark.parametrize("verb", ["list", "set"])
def test_every_help_has_an_example(verb: str) -> None:
    assert f"conflux budgets {verb}" in " ".join(said(Server(), verb, "--help").stdout.split())
