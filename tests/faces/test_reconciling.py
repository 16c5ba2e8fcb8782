"""Twin of faces/reconciling.py. What the command line shows of it is in test_cli_ledger.py."""

from collections.abc import Iterator
from typing import Any

import pytest

from conflux.faces.reconciling import columns_of, invoice_of, reconcile, shown, span_of
from conflux.neutral.errors import ConfigError
from conflux.neutral.reports import Asked, Span

CALLS = [
    Asked("gen-1", 1, "m", None, 1000, "ok"),
    Asked("gen-2", 2, "m", None, 2000, "ok"),
    Asked(None, 3, "m", None, 1, "ok"),
    Asked("gen-4", 4, "m", None, 1, "failed"),
]


class Books:
    def __init__(self, calls: list[Asked]) -> None:
        self.calls = calls

    def count(self, span: Span) -> int:
        return len(self.calls)

    def asked(self, provider: str, span: Span) -> Iterator[Asked]:
        return iter(self.calls)


def run(content: str, calls: list[Asked] = CALLS, tolerance: str = "0") -> Any:
    def watch(found: Iterator[Asked], total: int) -> Iterator[Asked]:
        assert total == len(calls)
        return found

    return reconcile(Books(calls), invoice_of(content, "x.csv", ""), "p", Span(0, 1), tolerance, watch)


def test_what_differs_is_found_and_counted() -> None:
    found, counts = run("id,cost\ngen-1,0.000001\ngen-2,0.000003\ngen-9,1\n")
    assert {(one.kind, one.id) for one in found} == {("differs", "gen-2"), ("extra", "gen-9")}
    assert counts == {"invoice": 3, "ledger": 2, "without_id": 1, "missing": 0, "extra": 1, "differs": 1}
    assert shown(found, counts)["differences"][0]["id"] in ("gen-2", "gen-9")


def test_mistakes_are_told() -> None:
    with pytest.raises(ConfigError, match="no amount"):
        run("id,cost\ngen-1,1\n", tolerance="near")
    with pytest.raises(ConfigError, match="knows of no call"):
        run("id,cost\ngen-1,1\n", [])
    with pytest.raises(ConfigError, match="NAME=COLUMN"):
        columns_of("id")
    for first, last, words in (("x", None, "--from"), (None, "x", "--to"), ("2026-11-02", "2026-11-01", "after")):
        with pytest.raises(ConfigError, match=words):
            span_of("reconcile", first, last)
    assert columns_of("id=a, cost=b") == {"id": "a", "cost": "b"}
    assert span_of("x", "1970-01-02", None).first == 1
