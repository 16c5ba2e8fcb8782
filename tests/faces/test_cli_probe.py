"""`conflux probe`: what is said becomes what is asked, and what was found is shown."""

import json
from typing import Any

import typer
from typer.testing import CliRunner

from conflux.faces.cli_probe import add_probe
from tests.faces.played import Played

ROW = {"target": "p/m", "capability": "vision", "holds": "yes", "stated": "no", "questioned": True, "age_seconds": 3,
       "usable": "no", "tried_seconds": 3,
       "asked": "yes", "evidence": ["red: answered, 'Red.'"], "cost_usd": "0"}  # fmt: skip


class Server(Played):
    def answer(self, operation: str) -> Any:
        return {"probes": [ROW]}


def said(played: Played, *words: str) -> str:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    add_probe(app, played)
    done = CliRunner().invoke(app, ["probe", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_is_said_is_asked_and_what_was_found_is_shown() -> None:
    played = Server()
    assert "p/m" in said(played) and "Red." not in said(played)
    assert "Red." in said(played, "gpt-4o-mini", "--capability", "vision", "--storefront", "conflux")
    assert json.loads(said(played, "gpt-4o-mini", "--json")) == {"probes": [ROW]}
    assert played.heard == [
        ("probe.list", {}), ("probe.list", {}),
        ("probe.run", {"id": "gpt-4o-mini", "storefront": "conflux", "capability": "vision"}),
        ("probe.run", {"id": "gpt-4o-mini", "storefront": None, "capability": None}),
    ]  # fmt: skip
