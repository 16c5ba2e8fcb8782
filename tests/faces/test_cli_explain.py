"""`conflux explain`: what is said becomes a request, and its fate is shown."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from conflux.faces.cli_explain import add_explain
from tests.faces.played import Played

ROW = {"model": "shop/one", "kept": False, "dropped_because": "tier", "score": "0.01", "cost_usd": "0.002",
       "time_s": 1.5, "success": 0.9, "quality": 0.8}  # fmt: skip
SHOWN = {"model": "shop/two", "reason": "best", "task_type": "creative", "tier": "pro", "prefer": "balanced",
         "needs": [], "candidates": [ROW], "attempts": [{"model": "shop/two", "role": "first"}]}  # fmt: skip


class Server(Played):
    def answer(self, operation: str) -> Any:
        return SHOWN


def run(played: Played, *words: str, key: str = "cf_live_k") -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    add_explain(app, played)
    return CliRunner().invoke(app, ["explain", *words], env={"CONFLUX_KEY": key})


def test_what_is_said_becomes_a_request() -> None:
    played = Server()
    shown = run(played, "Write a haiku", "--task", "creative", "--prefer", "speed")
    assert shown.exit_code == 0 and "shop/two" in shown.stdout and "tier" in shown.stdout and "0.002" in shown.stdout
    assert json.loads(run(played, "hi", "--model", "m", "--json").stdout) == SHOWN
    run(played)
    assert played.heard == [
        ("route.explain", {"key": "cf_live_k", "body": {"task_type": "creative", "prefer": "speed",
                                                       "messages": [{"role": "user", "content": "Write a haiku"}]}}),
        ("route.explain", {"key": "cf_live_k", "body": {"model": "m",
                                                       "messages": [{"role": "user", "content": "hi"}]}}),
        ("route.explain", {"key": "cf_live_k", "body": {"task_type": "simple_chat",
                                                       "messages": [{"role": "user", "content": "hello"}]}}),
    ]  # fmt: skip


def test_a_whole_request_comes_from_a_file(tmp_path: Path) -> None:
    played, file = Server(), tmp_path / "body.json"
    file.write_text('{"contents": []}')
    assert run(played, "--body", str(file)).exit_code == 0
    assert played.heard == [("route.explain", {"key": "cf_live_k", "body": {"contents": []}})]


@pytest.mark.parametrize("content", ["[1]", "{", None])
def test_a_file_that_is_no_request_is_a_line(tmp_path: Path, content: str | None) -> None:
    played, file = Server(), tmp_path / "body.json"
    if content is not None:
        file.write_text(content)
    done = run(played, "--body", str(file))
    assert done.exit_code == 2 and "body.json" in done.output and "Traceback" not in done.output
    assert played.heard == []


def test_without_a_key_it_is_said_whose_request_it_would_be() -> None:
    done = run(Server(), key="")
    assert done.exit_code == 2 and "CONFLUX_KEY" in done.output
