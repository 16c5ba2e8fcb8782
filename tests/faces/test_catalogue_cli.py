"""`conflux catalogue …`: what is said becomes what is asked; the answer alone is on standard output."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.catalogue_cli import _watched, add_catalogue
from conflux.neutral.errors import ConfigError

SOURCE = {
    "provider": "up", "kind": "list", "outcome": "ok", "detail": "", "tried": 5, "good": 5, "models": 3, "missing": {},
    "vanished": ["a"], "back": ["b"], "unlisted": ["c"], "notes": ["m: price of prompt: odd"],
}  # fmt: skip
CHANGE = {
    "id": 4, "table": "model", "key": ["shop", "shop/one"], "field": "price", "source": "up", "state": "open",
    "old": {"price": {"input": "1", "output": None}}, "new": {"price": {"input": "2", "output": "3"}},
    "seen": 5, "decided": None, "decided_by": None, "effective_at": None,
}  # fmt: skip
CONTEXT = {**CHANGE, "id": 5, "field": "context", "old": {"context": None}, "new": {"context": 500}}
ROW = {**CHANGE, "id": 6, "field": "row", "old": {}, "new": {"pool": "p", "tier": "pro"}, "state": "accepted",
       "decided": 1_795_089_600, "decided_by": "ann"}  # fmt: skip
NOWHERE: dict[str, Any] = {"config": None, "data": None}


class Played:
    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.problems: list[str] = []
        self.validated: list[tuple[dict[str, Any], Path | None]] = []
        done = {"dry_run": False, "sources": [SOURCE], "proposals": {"open": 2, "new": 1}}
        self.answers: dict[str, Any] = {
            "catalogue.sources": {"providers": ["one", "two"]},
            "catalogue.sync": done,
            "catalogue.file": done,
            "catalogue.diff": {"sources": [SOURCE], "changes": [], "missing": [], "remarks": []},
            "catalogue.accept": {"accepted": [CHANGE]},
            "catalogue.reject": {"rejected": [CONTEXT]},
            "catalogue.import": {"toml": "[[model]]\n", "rows": {"model": 2, "pool": 1}, "ids": [7, 8, 9], "later": 0},
        }

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.heard.append((operation, flags, params))
        return self.answers[operation]

    def validate(self, flags: dict[str, Any], directory: Path | None) -> list[str]:
        self.validated.append((flags, directory))
        return self.problems


@pytest.fixture
def played() -> Played:
    return Played()


def said(played: Played, *words: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    add_catalogue(app, played)
    return CliRunner().invoke(app, ["catalogue", *words])


SYNC = {"dry_run": False, "believe": False}


def test_all_that_are_live_are_looked_at_one_after_the_other(played: Played) -> None:
    found = said(played, "sync", "--config", "c", "--data", "d")
    flags = {"config": "c", "data": "d"}
    assert played.heard == [
        ("catalogue.sources", flags, {}),
        ("catalogue.sync", flags, {"providers": ["one"], **SYNC}),
        ("catalogue.sync", flags, {"providers": ["two"], **SYNC}),
    ]
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert lines[-1] == "2 proposals, 2 of them new" and "up does not list a" in lines and "up lists again b" in lines
    assert "up never listed c" in lines
    assert found.stderr == "conflux: up: m: price of prompt: odd\n" * 2


def test_somebody_who_looks_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    assert list(_watched(["one", "two"])) == ["one", "two"]
    assert "providers" in screen.getvalue() and capsys.readouterr().out == ""
    assert _watched(["one"]) == ["one"]


def test_some_are_looked_at(played: Played) -> None:
    found = said(played, "sync", "up", "--dry-run", "--believe", "--json")
    assert played.heard == [("catalogue.sync", NOWHERE, {"providers": ["up"], "dry_run": True, "believe": True})]
    assert json.loads(found.stdout)["sources"] == [SOURCE] and found.stderr == ""


def test_a_dry_run_shows_each_change_once(played: Played) -> None:
    played.answers["catalogue.sync"] = {
        "dry_run": True, "sources": [SOURCE], "proposals": {"open": 2, "new": 0}, "changes": [CHANGE, CONTEXT],
    }  # fmt: skip
    found = said(played, "sync", "--dry-run", "--json")
    assert json.loads(found.stdout)["changes"] == [CHANGE, CONTEXT]
    assert "input 1 → 2, output - → 3" in said(played, "sync", "--dry-run").stdout


@pytest.mark.parametrize("outcome", ["failed", "alarm"])
def test_a_list_that_could_not_be_had_is_a_failure(played: Played, outcome: str) -> None:
    played.answers["catalogue.sync"]["sources"] = [{**SOURCE, "outcome": outcome, "detail": "the list is empty"}]
    found = said(played, "sync", "up")
    assert found.exit_code == 1 and "the list is empty" in found.stdout
    assert said(played, "sync", "up", "--json").exit_code == 1


def test_nobody_is_live(played: Played) -> None:
    played.answers["catalogue.sources"] = {"providers": []}
    found = said(played, "sync")
    assert (found.exit_code, found.stderr) == (0, "conflux: no provider is live: nothing to look at\n")


def test_a_file_is_read_where_the_command_runs(played: Played, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text('{"é": 1}')
    said(played, "sync", "--file", str(file), "--provider", "up")
    order = {"name": str(file), "content": '{"é": 1}', "provider": "up", "dry_run": False}
    assert played.heard == [("catalogue.file", NOWHERE, order)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sync", "up", "--file", "m.json"], "--file goes with"),
        (["sync", "--provider", "up"], "--provider goes with --file"),
        (["sync", "--file", "no-such-file"], "cannot be read"),
        (["import", "no-such-file"], "cannot be read"),
        (["import", "binary"], "not a text file"),
    ],
)
def test_what_does_not_go_together(
    played: Played, words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("binary").write_bytes(b"\xff\xfe")
    found = said(played, *words)
    assert isinstance(found.exception, ConfigError) and told in str(found.exception)
    assert played.heard == []


def test_the_difference_for_people(played: Played) -> None:
    assert said(played, "diff").stdout.startswith("nothing: the catalogue says what its providers say")
    played.answers["catalogue.diff"] = {
        "sources": [{**SOURCE, "outcome": "failed", "detail": "answered 500", "good": None}],
        "changes": [CHANGE, CONTEXT],
        "missing": [{"target": "up/a/cloud", "since": 1_795_089_600}],
        "remarks": ["shop shop/one: advertises tools, which no provider of it lists"],
    }
    lines = said(played, "diff").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "4", "5", "missing", "remark", "failed"]
    assert "input 1 → 2, output - → 3" in lines[1] and "- → 500" in lines[2]
    assert "not listed since 2026-11-19 12:00 UTC; tried last" in lines[3] and "last good list: never" in lines[5]


def test_the_history_says_who_and_when(played: Played) -> None:
    played.answers["catalogue.diff"]["changes"] = [CHANGE, ROW]
    found = said(played, "diff", "--history").stdout.splitlines()
    assert "pool, tier" in found[2] and "accepted" in found[2] and "ann, 2026-11-19 12:00 UTC" in found[2]
    said(played, "diff", "--json")
    assert [params for _, _, params in played.heard] == [{"history": True}, {"history": False}]


def test_decisions_say_who_made_them(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert said(played, "accept", "4", "5").stdout == "accepted 4: shop shop/one price input 1 → 2, output - → 3\n"
    assert said(played, "reject", "--all").stdout == "rejected 5: shop shop/one context - → 500\n"
    assert json.loads(said(played, "accept", "--all", "--json").stdout) == {"accepted": [CHANGE]}
    by = "ann (command line)"
    assert [(one, params) for one, _, params in played.heard[:2]] == [
        ("catalogue.accept", {"ids": [4, 5], "all": False, "by": by}),
        ("catalogue.reject", {"ids": [], "all": True, "by": by}),
    ]


def test_rows_are_printed_or_kept(played: Played, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("id\n")
    assert said(played, "import", str(file)).stdout == "[[model]]\n"
    assert said(played, "import", str(file), "--store").stdout == "kept 2 models, 1 pool as changes 7, 8, 9\n"
    assert json.loads(said(played, "import", str(file), "--json").stdout) == played.answers["catalogue.import"]
    assert [params["store"] for _, _, params in played.heard] == [False, True, False]
    played.answers["catalogue.import"]["later"] = 2
    assert said(played, "import", str(file), "--store").stdout.endswith("changes 7, 8, 9; 2 begin later\n")


def test_validation_is_a_line_for_each_mistake(played: Played) -> None:
    found = said(played, "validate")
    assert (found.exit_code, found.stdout) == (0, "")
    assert played.validated.pop() == (NOWHERE, None)
    played.problems = ["a: x", "b: y"]
    found = said(played, "validate", "own", "--config", "c")
    assert (found.exit_code, found.stdout) == (1, "a: x\nb: y\n")
    assert played.validated[-1] == ({"config": "c", "data": None}, Path("own"))
    found = said(played, "validate", "--json")
    assert (found.exit_code, json.loads(found.stdout)) == (1, {"problems": ["a: x", "b: y"]})


@pytest.mark.parametrize("command", ["sync", "diff", "accept", "reject", "import", "validate"])
def test_every_command_shows_how_it_is_used(played: Played, command: str) -> None:
    text = said(played, command, "--help").output
    assert "Examples:" in text and f"conflux catalogue {command}" in text
