"""Twin of faces/cli_backup.py."""

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from conflux.faces.cli_backup import Tell, add_backup


class Played:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def backup(self, flags: dict[str, Any], file: Path, tell: Tell, *, force: bool) -> None:
        self.heard.append(("backup", flags["data"], force))
        tell(1, 2)
        file.write_bytes(b"12345")

    def restore(self, flags: dict[str, Any], file: Path, *, force: bool) -> Path | None:
        self.heard.append(("restore", flags["data"], force))
        return Path("aside") if force else None


def run(*arguments: str) -> tuple[Any, Played]:
    app, played = typer.Typer(), Played()
    add_backup(app, played)
    return CliRunner().invoke(app, arguments), played


def test_backup_says_what_it_wrote(tmp_path: Path) -> None:
    file = tmp_path / "x.tar"
    done, played = run("backup", str(file), "--data", "d", "--json")
    assert json.loads(done.stdout) == {"file": str(file), "bytes": 5}
    assert played.heard == [("backup", "d", False)] and "secrets" in done.stderr


def test_restore_says_where_the_old_one_is() -> None:
    done, played = run("restore", "x.tar", "--force", "--json")
    assert json.loads(done.stdout)["put_aside"] == "aside" and "aside" in done.stderr
    assert played.heard == [("restore", None, True)]
    done, _ = run("restore", "x.tar")
    assert "restored" in done.stdout and done.stderr == ""
