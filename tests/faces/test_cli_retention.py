"""`conflux retention`: what is said becomes what is asked."""

import json
from typing import Any

import typer
from typer.testing import CliRunner

from conflux.faces.cli_retention import add_retention

SHOWN = {"kept": [{"kind": "receipts", "for": "30 days", "over": 7}]}


class Played:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        assert params == {}
        self.heard.append(operation)
        return SHOWN if operation == "retention.show" else {"ended": {"receipts": 7}}


def said(played: Played, *words: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    add_retention(app, played)
    return CliRunner().invoke(app, ["retention", *words])


def test_what_is_said_is_asked() -> None:
    played = Played()
    assert "30 days" in said(played, "show").stdout
    assert json.loads(said(played, "show", "--json").stdout) == SHOWN
    assert "7" in said(played, "sweep").stdout
    assert json.loads(said(played, "sweep", "--json").stdout) == {"ended": {"receipts": 7}}
    assert played.heard == ["retention.show"] * 2 + ["retention.sweep"] * 2
