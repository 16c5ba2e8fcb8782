"""The command line: what is said becomes what is asked, and only the answer is on standard output."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from conflux.faces.cli import build
from conflux.faces.cli_backup import Tell
from conflux.faces.cli_ledger import Books
from conflux.faces.launch import Launch

ROW = {
    "id": "key_1", "name": "laptop", "prefix": "cf_live_", "last4": "wxyz", "storefront": "conflux",
    "spent_usd": "0.5", "budget_usd": None, "admin": False, "test": False, "agent": False, "revoked": False,
}  # fmt: skip
MODEL = {
    "storefront": "conflux", "id": "acme/one", "role": None, "context_text": "1.0M safe 950K", "status": "enabled",
    "input_usd_per_million": "1", "output_usd_per_million": None, "live": False, "capabilities": ["text", "tools"],
}  # fmt: skip


class Played:
    """Actions that note what they were told."""

    version = "9.9.9"

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.verified = {"checked_requests": 4, "unbalanced": 0}
        self.findings = [("python", True, "3.13"), ("server", True, "running")]
        self.answers: dict[str, Any] = {
            "keys.create": {"id": "key_1", "key": "cf_live_secret"},
            "keys.list": {"keys": [ROW, {**ROW, "id": "key_2", "admin": True, "revoked": True, "budget_usd": "5"}]},
            "keys.revoke": {"id": "key_1", "revoked": True},
            "models.list": {"models": [MODEL, {**MODEL, "id": "acme/two", "live": True, "status": "disabled"}]},
            "models.show": {"models": [MODEL]},
            "server.reload": {"version": 2, "models": 75, "restart": ["port"]},
            "server.status": {"in_flight": 3, "problems": {}},
        }

    def serve(self, flags: dict[str, Any]) -> None:
        self.heard.append(("serve", flags))

    def simulate(self, host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None:
        self.heard.append(("simulate", host, port, script, log, pace))

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.heard.append((operation, flags, params))
        return self.answers[operation]

    def show_config(self, flags: dict[str, Any]) -> dict[str, Any]:
        self.heard.append(("show", flags))
        return {"port": 8080, "redis_url": "redis://u:***@h/0"}

    def doctor(self, flags: dict[str, Any]) -> list[tuple[str, bool, str]]:
        return self.findings

    def backup(self, flags: dict[str, Any], file: Path, tell: Tell, *, force: bool) -> None:
        raise AssertionError("nothing here keeps a copy")

    def restore(self, flags: dict[str, Any], file: Path, *, force: bool) -> Path | None:
        raise AssertionError("nothing here keeps a copy")

    def books(self, flags: dict[str, Any]) -> Books:
        raise AssertionError("nothing here reads books")

    def start(self, launch: Launch) -> int:
        raise AssertionError("nothing here starts a program")

    def verify(self, flags: dict[str, Any]) -> dict[str, int]:
        return self.verified


@pytest.fixture
def played() -> Played:
    return Played()


def said(played: Played, *words: str) -> Any:
    return CliRunner().invoke(build(played), words)


NOWHERE = {"config": None, "data": None}


def test_version(played: Played) -> None:
    found = said(played, "--version")
    assert (found.exit_code, found.stdout) == (0, "9.9.9\n")
    assert played.heard == []


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *path, name)
        else:
            yield (*path, name), one


def test_every_commands_help_has_an_example(played: Played) -> None:
    found = dict(commands(get_command(build(played))))
    assert len(found) > 30
    for path, one in found.items():
        shown = " ".join((one.epilog or "").split())
        assert shown.startswith("Example") and f"conflux {' '.join(path)}" in shown, path


def test_a_start_makes_the_same_command_and_not_the_sixty_others(played: Played) -> None:
    every, few = (dict(commands(get_command(build(played, word)))) for word in (None, "serve"))
    assert len(few) < 5 < len(every)
    options = [[one.opts for one in found["serve",].params] for found in (every, few)]
    assert options[0] == options[1]
    assert dict(commands(get_command(build(played, "keys")))).keys() == every.keys()


def test_nothing_said_is_help(played: Played) -> None:
    for words in ((), ("keys",), ("models",), ("config",), ("ledger",)):
        assert "Usage" in said(played, *words).output
    assert played.heard == []


def test_serve_says_only_what_was_said(played: Played) -> None:
    unset = {"config": None, "data": None, "host": None, "port": None, "workers": None, "sim": None}
    said(played, "serve")
    said(played, "serve", "--port", "0", "--host", "::1", "--data", "d", "--config", "c", "--workers", "2", "--sim")
    assert played.heard == [
        ("serve", unset),
        ("serve", {"config": "c", "data": "d", "host": "::1", "port": 0, "workers": 2, "sim": True}),
    ]


def test_the_simulator_by_itself(played: Played) -> None:
    said(played, "sim")
    said(played, "sim", "--port", "0", "--script", "s.toml", "--log", "l.jsonl", "--pace", "2.5")
    assert played.heard == [
        ("simulate", "127.0.0.1", 9100, None, None, 0.0),
        ("simulate", "127.0.0.1", 0, Path("s.toml"), Path("l.jsonl"), 2.5),
    ]


WISH = {"storefront": None, "name": "", "workspace": "default", "user": "default", "admin": False, "test": False,
        "agent": False, "budget_usd": None, "models": None, "expires": None}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], {}),
        (["--storefront", "conflux", "--name", "laptop"], {"storefront": "conflux", "name": "laptop"}),
        (["--workspace", "w", "--user", "u", "--admin"], {"workspace": "w", "user": "u", "admin": True}),
        (["--test", "--agent", "--expires", "30d"], {"test": True, "agent": True, "expires": "30d"}),
        (["--budget-usd", "5.00"], {"budget_usd": "5.00"}),
        (["--models", "a/b, c,,"], {"models": ["a/b", "c"]}),
        (["--models", " , "], {"models": []}),
    ],
)
def test_a_wish_for_a_key(played: Played, words: list[str], changed: dict[str, Any]) -> None:
    found = said(played, "keys", "create", *words, "--data", "d")
    assert played.heard == [("keys.create", {"config": None, "data": "d"}, {**WISH, **changed})]
    assert (found.exit_code, found.stdout) == (0, "cf_live_secret\n")
    assert "once" in found.stderr and "cf_live_secret" not in found.stderr


JSON: list[tuple[tuple[str, ...], str]] = [
    (("keys", "create"), "keys.create"),
    (("keys", "list"), "keys.list"),
    (("keys", "revoke", "key_1"), "keys.revoke"),
    (("models", "list"), "models.list"),
    (("models", "show", "acme/one"), "models.show"),
    (("reload",), "server.reload"),
    (("status",), "server.status"),
]


@pytest.mark.parametrize(("words", "operation"), JSON, ids=lambda one: " ".join(one) if isinstance(one, tuple) else "")
def test_json_is_the_answer_alone(played: Played, words: tuple[str, ...], operation: str) -> None:
    found = said(played, *words, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == played.answers[operation]
    assert found.stderr == "" and len(found.stdout.splitlines()) == 1
    assert [heard[0] for heard in played.heard] == [operation]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("keys", "list"), ["key_1", "cf_live_…wxyz", "live", "admin revoked", "0.5", "5"]),
        (("keys", "revoke", "key_1"), ["revoked key_1"]),
        (("models", "list"), ["acme/one", "1 / -", "enabled, no live target", "acme/two", "disabled\n"]),
        (("models", "show", "acme/one"), ["capabilities", "text, tools", "role                     -"]),
        (("reload",), ["75 models"]),
        (("status",), ["in_flight        3"]),
        (("config", "show"), ['"port": 8080', "***"]),
        (("doctor",), ["ok   python: 3.13", "ok   server: running"]),
        (("ledger", "verify"), ["checked_requests", "unbalanced"]),
    ],
)
def test_for_people(played: Played, words: tuple[str, ...], shown: list[str]) -> None:
    found = said(played, *words)
    assert found.exit_code == 0, found.output
    text = "\n".join(line.rstrip() for line in found.stdout.splitlines()) + "\n"
    for one in shown:
        assert one in text


def test_models_are_asked_for_as_said(played: Played) -> None:
    said(played, "models", "list", "--storefront", "llmbase", "--all", "--config", "c")
    said(played, "models", "show", "x", "--storefront", "llmbase")
    assert played.heard == [
        ("models.list", {"config": "c", "data": None}, {"storefront": "llmbase", "all": True}),
        ("models.show", NOWHERE, {"id": "x", "storefront": "llmbase"}),
    ]


def test_what_is_not_well_is_in_the_exit_code(played: Played) -> None:
    played.findings.append(("sqlite", False, "too old: 3.37 is needed"))
    found = said(played, "doctor")
    assert found.exit_code == 1 and "BAD  sqlite: too old" in found.stdout
    assert said(played, "ledger", "verify", "--json").exit_code == 0
    played.verified["unbalanced"] = 1
    found = said(played, "ledger", "verify", "--json")
    assert found.exit_code == 1 and json.loads(found.stdout) == played.verified


@pytest.mark.parametrize(
    "words", [("serve", "--prot", "1"), ("serve", "--port", "x"), ("keys", "make"), ("keys", "revoke"), ("fly",)]
)
def test_a_wrong_word_is_exit_2_and_nothing_is_done(played: Played, words: tuple[str, ...]) -> None:
    found = said(played, *words)
    assert found.exit_code == 2 and found.stdout == "" and found.stderr
    assert played.heard == []


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_a_model_is_switched(played: Played, verb: str) -> None:
    played.answers[f"models.{verb}"] = {"models": [{"storefront": "conflux", "id": "acme/one", "status": f"{verb}d"}]}
    assert said(played, "models", verb, "uno").stdout == f"{verb}d acme/one (conflux)\n"
    said(played, "models", verb, "uno", "--storefront", "conflux", "--json", "--data", "d")
    assert played.heard == [
        (f"models.{verb}", NOWHERE, {"id": "uno", "storefront": None}),
        (f"models.{verb}", {"config": None, "data": "d"}, {"id": "uno", "storefront": "conflux"}),
    ]
