"""A hundred thousand receipts: pages and filters of their table come quickly."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.ledger import ID_CHANCES
from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually

MANY = 100_000
QUICK = 200  # milliseconds of the gateway's own work: how long a busy machine lets it wait says nothing of it
FILTERS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "&model=model-3": lambda one: bool(one["requested_model"] == "model-3"),
    "&ending=failed": lambda one: bool(one["ending"] == "failed"),
    "&user=default&workspace=default": lambda one: (one["user"], one["workspace"]) == ("default", "default"),
    "&key=key_2&simulated=true": lambda one: (one["key"], one["simulated"]) == ("key_2", True),
    "&since=2020-01-01&until=2037-01-01": lambda one: True,
}
_COPY = """
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
INSERT INTO request ({columns}) SELECT {values} FROM request, n WHERE request.id = ?
"""


def multiply(database: Any) -> None:
    """The one request as many, a second apart, of several models and endings."""
    with closing(sqlite3.connect(database)) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(request)")]
        number = db.execute("SELECT max(id) FROM request").fetchone()[0]
        other = {
            "id": f"request.id - n * 1000 * {ID_CHANCES}",
            "created": "created - n * 1000",
            "requested_model": "'model-' || (n % 70)",
            "served_model": "'model-' || (n % 70)",
            "ending": "CASE WHEN n % 97 = 0 THEN 'failed' ELSE 'done' END",
        }
        values = ", ".join(other.get(name, name) for name in columns)
        db.execute(_COPY.format(columns=", ".join(columns), values=values), (MANY, number))


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("many")).start()
    admin = running.admin_key
    assert running.chat(running.key(name="busy"), "hello").status == 200
    running.stop()
    multiply(running.data / "conflux.db")
    running.start()
    running.ask("ledger.rebuild")  # the sums of what was written past the ledger
    running.printed.append(f"  admin key  {admin}")  # it was printed at the first start
    yield running
    running.stop()


def worked(served: Served) -> float:
    """Milliseconds of processor time of the gateway so far, in all its threads."""
    ticks = Path(f"/proc/{served.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) * 1000 / os.sysconf("SC_CLK_TCK")


def test_pages_and_filters_of_many_receipts_are_quick(visitor: Visitor, served: Served) -> None:
    page = visitor.page
    visitor.enter()
    took: list[tuple[str, float]] = []

    def timed(path: str) -> Any:
        """The best of three, as the gateway does other things besides."""
        found = []
        for _ in range(3):
            before = worked(served)
            body = page.evaluate(
                "async path => await (await fetch(path)).json()", "/admin/api/v1/receipts?limit=100" + path
            )
            found.append((worked(served) - before, body))
        took.append((path, min(one[0] for one in found)))
        return found[0][1]

    visitor.open("/console/requests")
    table = page.get_by_role("region", name="Requests")
    rows = table.locator("tbody tr")
    rows.nth(49).wait_for()
    page.get_by_role("button", name="More").click()
    rows.nth(99).wait_for()
    page.get_by_label("Ending").select_option("failed")
    eventually(lambda: all("failed" in one for one in rows.all_inner_texts()), "only those that failed")
    page.get_by_label("Model", exact=True).first.fill("model-3")
    eventually(
        lambda: rows.count() > 0 and all("model-3" in one for one in rows.all_inner_texts()), "only those of one model"
    )
    first = timed("")
    times, cursor = [one["created"] for one in first["data"]], first["next"]
    for _ in range(3):
        after = timed(f"&cursor={cursor}")
        times, cursor = times + [one["created"] for one in after["data"]], after["next"]
    assert len(set(times)) == 400 and times == sorted(times, reverse=True)
    for asked, fits in FILTERS.items():
        found = timed(asked)["data"]
        assert len(found) == 100 and all(fits(one) for one in found), asked
    for asked in ("&model=nobody", "&ending=crashed", "&simulated=false", "&until=2020-01-01"):
        assert timed(asked)["data"] == [], asked
    print(", ".join(f"{path or 'first'} {ms:.0f} ms" for path, ms in took))
    slow = [(path, round(ms)) for path, ms in took if ms > QUICK]
    assert slow == []
