"""`conflux credits` and `conflux plans`: what is said becomes what is asked."""

import json
from typing import Any

import typer
from typer.testing import CliRunner

from conflux.faces.cli_credits import add_credits
from tests.faces.played import Played

GRANT = {"id": "grant_1", "workspace": "acme", "credits": "5", "left": "4", "created": "x", "expires": None,
         "status": "open", "note": ""}  # fmt: skip
FOUND: dict[str, Any] = {
    "credits.list": {"balances": [{"workspace": "acme", "credits": "4", "held": "1"}], "grants": [GRANT]},
    "plans.list": {
        "plans": [{"id": "agents", "name": "A", "storefront": "s", "default": True,
                   "windows": [{"window": "5 hours", "requests": 5, "tokens": None}]}],
        "subscriptions": [{"kind": "user", "owner": "acme/ann", "plan": "agents", "since": "x"}],
    },
}  # fmt: skip


class Server(Played):
    def answer(self, operation: str) -> Any:
        return FOUND.get(operation, {"id": "grant_1"})


def said(played: Played, *words: str) -> str:
    app = typer.Typer(rich_markup_mode=None)
    add_credits(app, played)
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_what_is_said_is_asked() -> None:
    played = Server()
    assert "grant_1" in said(played, "credits", "grant", "5", "--workspace", "acme", "--expires", "30d", "--note", "n")
    assert "acme" in said(played, "credits", "list")
    assert json.loads(said(played, "credits", "list", "--json")) == FOUND["credits.list"]
    json.loads(said(played, "credits", "revoke", "grant_1", "--json"))
    assert "5 requests in 5 hours" in said(played, "plans", "list")
    json.loads(said(played, "plans", "list", "--json"))
    said(played, "plans", "subscribe", "agents", "--workspace", "acme", "--user", "ann")
    said(played, "plans", "unsubscribe", "--key", "key_7")
    assert played.heard == [
        ("credits.grant", {"workspace": "acme", "credits": "5", "expires": "30d", "note": "n"}),
        ("credits.list", {"workspace": None}),
        ("credits.list", {"workspace": None}),
        ("credits.revoke", {"id": "grant_1"}),
        ("plans.list", {}),
        ("plans.list", {}),
        ("plans.subscribe", {"plan": "agents", "workspace": "acme", "user": "ann"}),
        ("plans.unsubscribe", {"key": "key_7"}),
    ]
