"""Twin of faces/cli_ledger.py."""

import csv
import io
import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conflux.faces.cli_ledger import add_ledger
from conflux.neutral.errors import ConfigError
from conflux.neutral.ledger import Ending, Line, Receipt
from conflux.neutral.reports import Asked, Exported, Span
from conflux.neutral.usage import Provenance, Usage


def exported(number: int, **fields: Any) -> Exported:
    receipt = Receipt(
        request_id=number, created=1_795_089_600_000, caller_key=1, storefront="shop", requested_model="=m",
        served_model="m", ending=Ending.DONE, usage=Usage(input=28, output=9), provenance=Provenance.PROVIDER,
        price_version="1", cost=60_900, refunded=900, credits=84_000, simulated=False,
        lines=(Line("input", 28, 1, 60_900),), calls=(), dropped=(), status=200,
    )  # fmt: skip
    return Exported(receipt, **{**{"key": "key_1", "user": "ann", "workspace": "acme", "variance": 3,
                                   "provider_cost": 7, "tags": {"team": "red"}}, **fields})  # fmt: skip


class Played:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.rows = [exported(1), exported(2, key="key_2")]
        self.calls = [
            Asked("gen-1", 1, "m", Usage(input=28, output=9), 7, "done"),
            Asked(None, 2, "m", None, 1, "done"),
            Asked("gen-f", 3, "m", None, None, "failed"),
        ]
        self.closed = 0

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        assert operation == "ledger.rebuild"
        return {"rebuilt": 4}

    def verify(self, flags: dict[str, Any]) -> dict[str, int]:
        return {"checked_requests": 4, "unbalanced": 0}

    def books(self, flags: dict[str, Any]) -> "Played":
        return self

    def count(self, span: Span) -> int:
        return len(self.rows)

    def receipts(self, span: Span) -> Any:
        self.spans.append(span)
        return iter(self.rows)

    def asked(self, provider: str, span: Span) -> Any:
        return iter(self.calls if provider == "up" else ())

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def played() -> Played:
    return Played()


def run(played: Played, *arguments: str) -> Any:
    app = typer.Typer()
    add_ledger(app, played)
    return CliRunner().invoke(app, arguments)


def test_rebuild_says_how_much_was_wrong(played: Played) -> None:
    assert "4 rows" in run(played, "ledger", "rebuild").stdout
    assert json.loads(run(played, "ledger", "rebuild", "--json").stdout) == {"rebuilt": 4}


def test_export_as_csv(played: Played) -> None:
    done = run(played, "ledger", "export", "--from", "2026-11-19", "--to", "2026-11-20")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["key"] for row in rows] == ["key_1", "key_2"]
    one = rows[0]
    assert (one["cost_usd"], one["variance_usd"], one["provider_cost_usd"]) == (
        "0.0000609",
        "0.000000003",
        "0.000000007",
    )
    assert one["refunded_usd"] == "0.0000009"
    assert (one["requested_model"], one["input"], one["tags"]) == ("'=m", "28", '{"team":"red"}')
    assert played.spans == [Span(20_776, 20_777)] and played.closed == 1


def test_export_as_json_lines_filtered_into_a_file(played: Played, tmp_path: Any) -> None:
    file = tmp_path / "out.jsonl"
    done = run(played, "ledger", "export", "--format", "jsonl", "--key", "key_2", "--output", str(file))
    assert done.stdout == ""
    (row,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert (row["key"], row["cost_usd"], row["tags"]) == ("key_2", "0.0000609", {"team": "red"})
    assert row["lines"][0]["amount"] == "0.0000609"


@pytest.mark.parametrize(
    "arguments",
    [["--format", "xml"], ["--from", "soon"], ["--from", "2026-11-20", "--to", "2026-11-19"], ["--output", "/no/x/y"]],
)
def test_a_wrong_flag_is_one_line(played: Played, arguments: list[str]) -> None:
    done = run(played, "ledger", "export", *arguments)
    assert isinstance(done.exception, ConfigError) and done.stdout == ""


def reconcile(played: Played, tmp_path: Any, text: str, *more: str) -> Any:
    file = tmp_path / "invoice.csv"
    file.write_text(text)
    return run(played, "reconcile", str(file), "--provider", "up", *more)


HEAD = "id,cost,input_tokens,output_tokens\n"


def test_an_invoice_that_agrees(played: Played, tmp_path: Any) -> None:
    done = reconcile(played, tmp_path, HEAD + "gen-1,0.000000007,28,9\n")
    assert done.exit_code == 0 and done.stdout == ""
    assert "0 missing, 0 extra, 0 differs" in done.stderr and "1 calls have no id" in done.stderr


def test_differences_are_listed_and_the_exit_code_says_so(played: Played, tmp_path: Any) -> None:
    done = reconcile(played, tmp_path, HEAD + "gen-9,1,28,9\ngen-1,0.5,28,8\n", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (said["missing"], said["extra"], said["differs"], said["without_id"]) == (0, 1, 2, 1)
    assert said["differences"][1] == {"kind": "differs", "id": "gen-1", "place": "line 3", "field": "output",
                                      "ours": "9", "theirs": "8"}  # fmt: skip
    shown = reconcile(played, tmp_path, HEAD + "gen-9,1,28,9\n")
    assert shown.exit_code == 1 and "gen-9" in shown.stdout and "missing" in shown.stdout


def test_columns_and_tolerance_are_heard(played: Played, tmp_path: Any) -> None:
    text = "what,paid\ngen-1,0.000000008\n"
    done = reconcile(played, tmp_path, text, "--columns", "id=what,cost=paid")
    assert done.exit_code == 0 and "not compared: input, output, model" in done.stderr
    assert reconcile(played, tmp_path, text, "--columns", "id=what,cost=paid", "--tolerance-usd", "0").exit_code == 1


@pytest.mark.parametrize("more", [["--columns", "id"], ["--tolerance-usd", "some"], ["--provider", "nobody"]])
def test_a_mistake_is_refused(played: Played, tmp_path: Any, more: list[str]) -> None:
    assert isinstance(reconcile(played, tmp_path, HEAD + "gen-1,1,1,1\n", *more).exception, ConfigError)


def test_lines_that_leave_something_out_are_counted(played: Played, tmp_path: Any) -> None:
    file = tmp_path / "invoice.csv"
    file.write_text("id,cost,input_tokens,output_tokens\ngen-1,,28,9\ngen-x,1,1,1\n")
    done = run(played, "reconcile", str(file), "--provider", "up")
    assert "1 lines of the invoice do not say cost" in done.stderr and "not compared: model" in done.stderr
