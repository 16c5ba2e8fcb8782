"""`conflux policies`: what is said becomes what is asked."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.cli_policies import add_policies, cleared, names, understood
from conflux.neutral.errors import ConfigError
from tests.faces.played import Played

RULES = [{"client": "codex", "action": "substitute", "models": ["a", "b*"], "to": "c"},
         {"action": "deny", "models": ["*"]}]  # fmt: skip
POLICY = {"id": "pol_1", "kind": "user", "owner": "acme/ann", "enabled": False, "changed": 5,
          "terms": {"deny": ["x", "y"], "concurrent": 2, "overrides": RULES}}  # fmt: skip
SEEN = {
    "key": "key_1", "storefront": "shop", "client": None, "problem": "it was revoked", "policies": ["user"],
    "models": [{"id": "one", "listed": True, "status": "enabled", "served": "one", "reason": None},
               {"id": "two", "listed": False, "status": None, "served": None, "reason": "it is disabled"}],
}  # fmt: skip


class Server(Played):
    def answer(self, operation: str) -> Any:
        match operation:
            case "policies.list":
                return {"policies": [POLICY]}
            case "policies.preview":
                return SEEN
            case _:
                return dict(POLICY)


def said(played: Played, *words: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    add_policies(app, played)
    return CliRunner().invoke(app, ["policies", *words])


def test_everything_that_can_be_said_arrives() -> None:
    played = Server()
    words = (
        "set", "--workspace", "acme", "--user", "ann", "--allow", "a, b/*", "--deny", "c", "--entitle", "d",
        "--rule", "codex deny x", "--rule", "any substitute y z by w", "--requests-per-minute", "60",
        "--tokens-per-minute", "1000", "--concurrent", "4", "--json",
    )  # fmt: skip
    json.loads(said(played, *words).stdout)
    terms = {
        "allow": ["a", "b/*"], "deny": ["c"], "entitle": ["d"], "requests_per_minute": 60, "tokens_per_minute": 1000,
        "concurrent": 4,
        "overrides": [{"client": "codex", "action": "deny", "models": ["x"]},
                      {"client": "any", "action": "substitute", "models": ["y", "z"], "to": "w"}],
    }  # fmt: skip
    assert played.heard == [("policies.set", {"workspace": "acme", "user": "ann", "terms": terms})]


def test_what_is_cleared_is_null_and_what_is_not_said_is_not_asked() -> None:
    played = Server()
    said(played, "set", "--key", "key_1", "--clear", "allow", "--clear", "rules", "--clear", "tokens-per-minute")
    said(played, "create", "--workspace", "acme", "--deny", "")
    assert played.heard == [
        ("policies.set", {"key": "key_1", "terms": {"allow": None, "overrides": None, "tokens_per_minute": None}}),
        ("policies.create", {"workspace": "acme", "terms": {"deny": []}}),
    ]


@pytest.mark.parametrize("verb", ["show", "enable", "disable", "delete"])
def test_the_other_verbs(verb: str) -> None:
    played = Server()
    shown = said(played, verb, "--workspace", "acme", "--user", "ann").stdout
    assert played.heard == [(f"policies.{verb}", {"workspace": "acme", "user": "ann"})]
    assert "x, y" in shown and "codex substitute a b* by c" in shown and "any deny *" in shown
    json.loads(said(played, verb, "--key", "key_1", "--json").stdout)


def test_the_list() -> None:
    shown = said(Server(), "list").stdout
    assert "acme/ann" in shown and "disabled" in shown and "deny, concurrent, overrides" in shown
    assert json.loads(said(Server(), "list", "--json").stdout) == {"policies": [POLICY]}


def test_the_preview() -> None:
    played = Server()
    shown = said(played, "preview", "--key", "key_1", "--client", "codex").stdout
    assert played.heard == [("policies.preview", {"key": "key_1", "client": "codex", "storefront": None})]
    assert "opens nothing: it was revoked" in shown and "it is disabled" in shown
    assert json.loads(said(played, "preview", "--key", "key_1", "--json").stdout) == SEEN


def test_saying_nothing_is_a_mistake() -> None:
    played = Server()
    found = said(played, "set", "--workspace", "acme")
    assert isinstance(found.exception, ConfigError) and played.heard == []


@pytest.mark.parametrize("text", ["", "codex", "codex deny", "codex by x", "codex substitute a by", "a b c by d e"])
def test_a_rule_nobody_understands(text: str) -> None:
    with pytest.raises(ConfigError, match="--rule"):
        understood(text)


def test_a_field_nobody_knows() -> None:
    with pytest.raises(ConfigError, match=r"--clear colour: .*allow, deny"):
        cleared(["allow", "colour"])


def test_names() -> None:
    assert (names(None), names(""), names(" a ,, b ")) == (None, [], ["a", "b"])


@pytest.mark.parametrize("verb", ["list", "show", "create", "set", "enable", "disable", "delete", "preview"])
def test_every_help_has_an_example(verb: str) -> None:
    found = said(Server(), verb, "--help").stdout
    assert "Example" in found and f"conflux policies {verb}" in " ".join(found.split())
