"""The command line: flags become actions, answers become text or pure JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conflux.faces.cli import build, fail
from conflux.neutral.errors import ConfigError, StoreError


class Actions:
    """Writes down what was asked, answers what it is told."""

    version = "9.9.9"

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = {}
        self.well = True

    def serve(self, flags: dict[str, Any]) -> None:
        self.asked.append(("serve", flags))

    def simulate(self, host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None:
        self.asked.append(("simulate", host, port, script, log, pace))

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.asked.append((operation, flags, params))
        return self.answer

    def show_config(self, flags: dict[str, Any]) -> dict[str, Any]:
        return {"port": 1}

    def doctor(self, flags: dict[str, Any]) -> list[tuple[str, bool, str]]:
        return [("python", True, "3.11"), ("store", self.well, "full")]

    def verify(self, flags: dict[str, Any]) -> dict[str, int]:
        return {"checked_requests": 5, "unbalanced": 0 if self.well else 1}


@pytest.fixture
def actions() -> Actions:
    return Actions()


def run(actions: Actions, *words: str) -> Any:
    return CliRunner().invoke(build(actions), list(words), catch_exceptions=False)


def test_the_version(actions: Actions) -> None:
    found = run(actions, "--version")
    assert found.stdout == "9.9.9\n" and found.exit_code == 0


def test_flags_that_were_not_said_are_not_set(actions: Actions) -> None:
    run(actions, "serve", "--port", "0", "--data", "there")
    assert actions.asked == [
        ("serve", {"config": None, "data": "there", "host": None, "port": 0, "workers": None, "sim": None})
    ]


def test_a_new_key_alone_is_on_standard_output(actions: Actions) -> None:
    actions.answer = {"id": "key_1", "key": "cf_live_x"}
    found = run(actions, "keys", "create", "--name", "n", "--models", "a, b,", "--budget-usd", "5", "--data", "d")
    assert found.stdout == "cf_live_x\n" and "shown once" in found.stderr
    operation, flags, params = actions.asked[0]
    assert operation == "keys.create" and flags["data"] == "d"
    assert params["models"] == ["a", "b"] and params["budget_usd"] == "5" and params["storefront"] is None


KEYS = {"keys": [{"id": "key_1", "name": "n", "prefix": "cf_", "last4": "wxyz", "storefront": "s", "spent_usd": "0.1",
                  "budget_usd": None, "admin": True, "test": False, "agent": False, "revoked": True}]}  # fmt: skip
MODELS = {"models": [{"storefront": "s", "id": "a/b", "role": None, "context_text": "1M safe 950K", "status": "enabled",
                      "input_usd_per_million": "0.1", "output_usd_per_million": None, "live": False,
                      "limitations": ["one", "two"]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "answer", "shown"),
    [
        (["keys", "list"], KEYS, ["key_1", "cf_…wxyz", "admin revoked"]),
        (["keys", "revoke", "key_1"], {"id": "key_1"}, ["revoked key_1"]),
        (["models", "list", "--all"], MODELS, ["a/b", "1M safe 950K", "0.1 / -", "no live target"]),
        (["models", "show", "a/b"], MODELS, ["context_text", "one, two"]),
        (["reload"], {"models": 3}, ["3 models"]),
        (["status"], {"version": "1"}, ["version"]),
    ],
)
def test_answers_for_people_and_for_programs(
    actions: Actions, words: list[str], answer: dict[str, Any], shown: list[str]
) -> None:
    actions.answer = answer
    found = run(actions, *words)
    assert found.exit_code == 0 and all(text in found.stdout for text in shown), found.stdout
    assert json.loads(run(actions, *words, "--json").stdout) == answer


def test_configuration_is_json_either_way(actions: Actions) -> None:
    for words in (["config", "show"], ["config", "show", "--json"]):
        assert json.loads(run(actions, *words).stdout) == {"port": 1}


@pytest.mark.parametrize("words", [["doctor"], ["ledger", "verify"], ["ledger", "verify", "--json"]])
def test_what_is_wrong_is_an_exit_code(actions: Actions, words: list[str]) -> None:
    assert run(actions, *words).exit_code == 0
    actions.well = False
    assert run(actions, *words).exit_code == 1


def test_the_simulator_takes_its_flags(actions: Actions) -> None:
    run(actions, "sim", "--port", "0", "--script", "s.toml", "--pace", "2.5")
    assert actions.asked == [("simulate", "127.0.0.1", 0, Path("s.toml"), None, 2.5)]


@pytest.mark.parametrize("words", [["serve"], ["sim"], ["keys", "create"], ["models", "list"]])
def test_help_has_an_example(actions: Actions, words: list[str]) -> None:
    assert f"conflux {' '.join(words)}" in run(actions, *words, "--help").stdout


@pytest.mark.parametrize("words", [["nothing"], ["serve", "--port", "x"], ["keys", "revoke"]])
def test_a_wrong_word_is_exit_code_2(actions: Actions, words: list[str]) -> None:
    found = run(actions, *words)
    assert found.exit_code == 2 and found.stdout == "" and "Traceback" not in found.stderr
    assert actions.asked == []


def test_mistakes_are_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    fail(ConfigError(["one", "two"]))
    fail(StoreError("three"))
    assert capsys.readouterr() == ("", "conflux: one\nconflux: two\nconflux: three\n")
