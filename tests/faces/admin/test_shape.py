"""Twin of faces/admin/shape.py."""

import json
from typing import Any

import pytest

from conflux.faces.admin.shape import Asked, cover, listed, page, refusal, said, uncover
from conflux.neutral.errors import ConfigError, GatewayError, Kind, NoSuch

ROWS: list[dict[str, Any]] = [{"n": n, "name": f"=row{n}", "on": n == 1, "list": [n]} for n in range(5)]


def read(asked: Asked) -> Any:
    return json.loads(bytes(listed(ROWS, asked, "rows").body))


def test_pages_follow_each_other_to_the_end() -> None:
    found, cursor, pages = [], None, 0
    while True:
        one = read(Asked(2, cursor, False))
        found += one["data"]
        pages += 1
        cursor = one["next"]
        if cursor is None:
            break
    assert found == ROWS and pages == 3
    assert read(Asked(2, cover(99), False)) == {"data": [], "next": None}


def test_a_file_has_all_rows_and_no_formula() -> None:
    answer = listed(ROWS, Asked(2, None, True), "rows")
    assert bytes(answer.body).decode().splitlines()[:2] == ["n,name,on,list", "0,'=row0,false,[0]"]
    assert len(bytes(answer.body).splitlines()) == 6
    assert answer.headers["content-disposition"] == 'attachment; filename="rows.csv"'
    assert bytes(page([], Asked(2, None, True), "rows", None).body) == b"\r\n"


@pytest.mark.parametrize("cursor", ["x", "äö", "====", cover("a"), cover(-1), cover("9" * 30), "AAAA"])
def test_a_cursor_from_elsewhere(cursor: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(Asked(2, cursor, False))
    assert caught.value.param == "cursor"
    assert uncover(cover("a/b")) == "a/b"


def test_errors_have_the_usual_shape() -> None:
    assert said(NoSuch(["a", "b"])).kind is Kind.NOT_FOUND and said(ConfigError(["a", "b"])).message == "a; b"
    answer = refusal(GatewayError(Kind.RATE_LIMITED, "wait", retry_after=1.6))
    assert answer.status_code == 429 and answer.headers["retry-after"] == "2"
    assert json.loads(bytes(answer.body))["error"]["message"] == "wait"


def test_a_file_full_of_mistakes_is_told_in_short() -> None:
    told = said(ConfigError([f"row {n}" for n in range(1000)])).message
    assert "row 19;" in told and "row 20" not in told and told.endswith("and 980 more")
    assert said(ConfigError(["a", "b"])).message == "a; b"


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("ledger refund: --usd: '0,005' is no amount", "usd: '0,005' is no amount"),
        ("--budget-usd: 'lots' is no amount", "budget_usd: 'lots' is no amount"),
        ("plans subscribe: there is no plan 'x'", "there is no plan 'x'"),
        ("there is no workspace 'x': `conflux workspaces list` shows them", "there is no workspace 'x'"),
        ("it stays; switched off, all stop (`conflux users disable`)", "it stays; switched off, all stop"),
        ("m.csv: model shop/x--y: context: 0", "m.csv: model shop/x--y: context: 0"),
    ],
)
def test_the_command_lines_words_stay_there(problem: str, told: str) -> None:
    assert said(ConfigError([problem])).message == told
