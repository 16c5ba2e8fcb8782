"""What all groups of commands share."""

import pytest

from conflux.faces.cli_common import fail, fields, table
from conflux.neutral.errors import ConfigError, StoreError


def test_mistakes_are_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    fail(ConfigError(["one", "two"]))
    fail(StoreError("three"))
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "conflux: one\nconflux: two\nconflux: three\n")


def test_a_table_that_nobody_looks_at_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "text"], [["a", "x" * 200], ["[bold]b[/bold]", "y"]])
    found = capsys.readouterr().out
    assert "x" * 200 in found
    assert "[bold]b[/bold]" in found, "what a name holds is shown, not obeyed"


def test_a_thing_is_a_line_for_each_of_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    fields({"name": "x", "empty": None, "none": "", "many": ["a", 1], "few": ("b",), "off": False})
    shown = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert shown == [["name", "x"], ["empty", "-"], ["none", "-"], ["many", "a, 1"], ["few", "b"], ["off", "False"]]
