"""`conflux run`: the client gets a key that lives as long as it does."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.cli_run import add_run
from conflux.faces.launch import Launch
from conflux.neutral.errors import ConfigError


class Played:
    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.launched: list[Launch] = []
        self.code = 0
        self.broken: Exception | None = None

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.heard.append((operation, params))
        return {"address": "http://127.0.0.1:9", "id": "key_9", "key": "cf_live_made"}

    def start(self, launch: Launch) -> int:
        self.launched.append(launch)
        if self.broken is not None:
            raise self.broken
        return self.code


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    """With a claude on the path, and no key of the user's."""
    (tmp_path / "claude").write_text("#!/bin/sh\n")
    (tmp_path / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CONFLUX_KEY", raising=False)
    return Played()


def run(played: Played, *arguments: str) -> int | BaseException:
    app = typer.Typer()
    add_run(app, played)
    app.command("other")(lambda: None)
    ended = CliRunner().invoke(app, ["run", *arguments])
    return ended.exception if isinstance(ended.exception, ConfigError | OSError) else ended.exit_code


def test_its_key_is_made_before_and_taken_back_after(played: Played) -> None:
    played.code = 3
    assert run(played, "--storefront", "llmbase", "claude", "-p", "hi", "--model", "theirs") == 3
    assert [name for name, _ in played.heard] == ["server.status", "keys.create", "keys.revoke"]
    assert played.heard[1][1] == {"storefront": "llmbase", "name": "conflux run claude", "expires": "7d"}
    assert played.heard[2][1] == {"id": "key_9"}
    (launch,) = played.launched
    assert launch.argv == ("claude", "-p", "hi", "--model", "theirs")
    assert launch.environment["ANTHROPIC_AUTH_TOKEN"] == "cf_live_made"
    assert "ANTHROPIC_MODEL" not in launch.environment


def test_a_key_is_taken_back_however_the_client_ends(played: Played) -> None:
    played.broken = OSError("no such terminal")
    assert run(played, "claude") is played.broken
    assert played.heard[-1][0] == "keys.revoke"


def test_a_gateway_elsewhere_is_used_with_the_users_own_key(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFLUX_KEY", "cf_live_mine")
    assert run(played, "--url", "https://gate.example/v1/", "--model", "m", "claude") == 0
    assert played.heard == []
    assert played.launched[0].environment["ANTHROPIC_BASE_URL"] == "https://gate.example"
    assert played.launched[0].environment["ANTHROPIC_AUTH_TOKEN"] == "cf_live_mine"
    assert played.launched[0].environment["ANTHROPIC_MODEL"] == "m"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("claud",), "'claud' is not a client this knows: there are claude, codex"),
        (("codex",), "codex was not found: install it with `npm install -g @openai/codex`"),
        (("--url", "https://x", "claude"), "--url needs a key of that gateway in CONFLUX_KEY"),
    ],
)
def test_what_cannot_be_started_is_said_and_no_key_is_made(
    played: Played, arguments: tuple[str, ...], said: str
) -> None:
    error = run(played, *arguments)
    assert isinstance(error, ConfigError)
    assert said in str(error.problems)
    assert played.heard == []
