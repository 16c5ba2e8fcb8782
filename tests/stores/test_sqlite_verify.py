"""Twin of stores/verify.py: every kind of drift is seen, by its own count."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conflux.neutral.errors import StoreError
from conflux.neutral.ledger import Ending
from conflux.stores.sqlite_verify import verify
from conflux.stores.verify import Report
from tests.stores.books import ending, environment, full_ending, order


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
async def filled(books, ledger):
    """Books with a request of each kind, and a budget over each scope."""
    for kind, owner in (("key", 1), ("user", 1), ("workspace", 1), ("storefront", "conflux")):
        await ledger.set_budget(kind, owner, "total", 1000)
    await ledger.set_budget("key", 1, "day", 1000)
    for how in ("plain", "variance", "simulated", "failed", "open"):
        asked = order(100, simulated=how == "simulated", tags={"team": "ö"} if how == "plain" else {})
        await ledger.reserve(asked)
        if how == "plain":
            await ledger.settle(full_ending(asked.request_id))
        elif how != "open":
            charge = 130 if how == "variance" else 60
            await ledger.settle(ending(asked.request_id, charge, Ending.FAILED if how == "failed" else Ending.DONE))
    await ledger.write(lambda run: run.execute("SELECT 1").fetchone())  # a job finds every receipt counted
    return books


async def test_books_in_order_have_no_drift(filled):
    report = verify(filled.path)
    assert report.ok
    assert report.counts() == {
        **dict.fromkeys(Report.__struct_fields__, 0),
        "checked_requests": 4,
        "checked_entries": 7,
        "checked_open": 1,
        "checked_budgets": 5,
    }


DRIFTS = {
    "an amount too high": ("UPDATE entry SET amount = amount + 1 WHERE account = 2", {"unbalanced": 1, "misbooked": 1}),
    "all paid too much": (
        "UPDATE posting SET paid = paid + 1",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 5},
    ),
    "owed too little": ("UPDATE posting SET owed = owed - 1", {"misbooked": 1}),
    "another party's": ("UPDATE posting SET party = 9", {"misbooked": 1}),
    "posted and booked": (
        "INSERT INTO entry SELECT tx, account, party, amount FROM every_entry WHERE tx IN (SELECT tx FROM posting)",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 450},
    ),
    "a posting gone": ("DELETE FROM posting", {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 450}),
    "a posting of nothing": ("INSERT INTO posting VALUES (7, 1, 5, 3)", {"unaccounted": 1}),
    "a posting of a simulated request": (
        "INSERT INTO posting SELECT id, 1, 60, 30 FROM request WHERE simulated = 1",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 300},
    ),
    "both legs alike": (
        "UPDATE entry SET amount = amount + CASE account WHEN 1 THEN -7 ELSE 7 END WHERE account IN (1, 2)",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 35},
    ),
    "another key's": ("UPDATE entry SET party = 9 WHERE account = 1", {"misbooked": 1}),
    "a leg gone": ("DELETE FROM entry WHERE account = 5", {"unbalanced": 1, "misbooked": 1}),
    "the house's leg gone": ("DELETE FROM entry WHERE account = 2", {"unbalanced": 1, "misbooked": 1}),
    "all legs gone": (
        "DELETE FROM entry",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 500},
    ),
    "entries of nothing": ("INSERT INTO entry VALUES (7, 1, 1, -5), (7, 2, 0, 5)", {"unaccounted": 1}),
    "entries of a simulated request": (
        "INSERT INTO entry SELECT id, 1, 1, -60 FROM request WHERE simulated = 1;"
        "INSERT INTO entry SELECT id, 2, 0, 60 FROM request WHERE simulated = 1",
        {"misbooked": 1, "budgets_drifted": 5, "nano_usd_drift": 300},
    ),
    "a receipt gone": (
        "DELETE FROM request WHERE variance > 0",
        {"unaccounted": 1, "budgets_drifted": 5, "usage_drifted": 2, "nano_usd_drift": 500},
    ),
    "a sum by day too high": ("UPDATE usage_day SET input = input + 1 WHERE simulated = 0", {"usage_drifted": 2}),
    "a sum by model gone": ("DELETE FROM usage_model WHERE simulated = 1", {"usage_drifted": 1}),
    "due and no receipt": ("INSERT INTO usage_due VALUES (7)", {"usage_drifted": 1}),
    "counted, and due again": (
        "INSERT INTO usage_due SELECT id FROM request WHERE simulated = 1",
        {"usage_drifted": 2},
    ),
    "a sum by tag gone": ("DELETE FROM usage_tag", {"usage_drifted": 1}),
    "a line too dear": (
        "UPDATE request SET detail = json_replace(detail, '$[0][0][3]', 41) WHERE detail LIKE '%435000%'",
        {"misstated": 1},
    ),
    "a line gone": ("UPDATE request SET detail = json_remove(detail, '$[0][0]') WHERE variance > 0", {"misstated": 1}),
    "a user of no workspace": ("INSERT INTO app_user VALUES (7, 9, 'stray', 0)", {"dangling": 1}),
    "attempts gone": ("DELETE FROM attempt WHERE n = 1", {"unreceipted": 1}),
    "attempts of nothing": ("INSERT INTO attempt VALUES (7, 0, NULL, NULL, NULL)", {"unreceipted": 1}),
    "charged and never started": ("UPDATE request SET started = 0 WHERE variance > 0", {"charged_unstarted": 1}),
    "charged above its hold": ("UPDATE request SET held = 50 WHERE variance > 0", {"charged_over_hold": 1}),
    "open and ended": (
        "UPDATE hold SET request_id = (SELECT id FROM request WHERE variance > 0)",
        {"open_and_ended": 1},
    ),
    "a hold gone": ("DELETE FROM hold", {"budgets_drifted": 5, "nano_usd_drift": 500}),
    "a budget that says too little": (
        "UPDATE budget_window SET posted = posted - 1 WHERE budget_id = 1",
        {"budgets_drifted": 1, "nano_usd_drift": 1},
    ),
    "a budget that holds too much": (
        "UPDATE budget_window SET held = held + 3 WHERE budget_id = 2",
        {"budgets_drifted": 1, "nano_usd_drift": 3},
    ),
    "a budget window gone": (
        "DELETE FROM budget_window WHERE budget_id = 3",
        {"budgets_drifted": 1, "nano_usd_drift": 290},
    ),
    "a budget overrun": ("UPDATE budget SET cap = 289 WHERE id = 4", {"budgets_overrun": 1}),
}


_UNGUARDED = "".join(f"DROP TRIGGER {one}_no_{act};" for one in ("entry", "posting") for act in ("update", "delete"))


@pytest.mark.parametrize("name", DRIFTS)
async def test_each_kind_of_drift_is_counted(filled, name):
    change, expected = DRIFTS[name]
    await filled.ledger.aclose()
    other = sqlite3.connect(filled.path)
    other.executescript(_UNGUARDED + change)
    other.close()
    report = verify(filled.path)
    assert not report.ok
    found = {name: n for name, n in report.counts().items() if n and not name.startswith("checked")}
    assert found == expected
    await filled.open()


async def test_a_lowered_cap_excuses_its_own_windows_only(filled):
    ledger, clock = filled.ledger, filled.clock
    await ledger.set_budget("key", 1, "day", 100)
    assert verify(filled.path).ok
    clock.moment += 86_400
    asked = order(100, moment=clock.moment)
    await ledger.reserve(asked)
    assert verify(filled.path).ok
    await ledger.write(lambda run: run.execute("UPDATE budget SET cap = 99 WHERE period = 'day'"))
    assert verify(filled.path).budgets_overrun == 1


async def test_a_cap_lowered_after_the_clock_went_back_excuses_what_lies_ahead(filled):
    filled.clock.moment -= 10 * 86_400
    await filled.ledger.set_budget("key", 1, "day", 0)
    assert verify(filled.path).ok


async def test_it_runs_beside_a_live_writer_from_another_process(filled):
    code = "import sys; from pathlib import Path; from conflux.stores.sqlite_verify import verify;"
    code += "print(verify(Path(sys.argv[1])).ok)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(filled.path)], env=environment(), capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")
    await filled.ledger.reserve(order(1))


async def test_what_cannot_be_verified_is_said(tmp_path, books):
    with pytest.raises(StoreError, match="no database"):
        verify(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("this is no database, whatever its name says " * 50)
    with pytest.raises(StoreError, match="cannot be read"):
        verify(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(StoreError, match="another schema"):
        verify(tmp_path / "empty.db")


async def test_a_damaged_page_is_found(filled):
    await filled.ledger.aclose()
    whole = filled.path.read_bytes()
    run = sqlite3.connect(filled.path)
    (root,) = run.execute("SELECT rootpage FROM sqlite_master WHERE name = 'budget'").fetchone()
    (page,) = run.execute("PRAGMA page_size").fetchone()
    run.close()
    start = (root - 1) * page
    filled.path.write_bytes(whole[: start + 3] + b"\0\xff" + whole[start + 5 :])  # more cells than the page can hold
    report = verify(filled.path)
    assert report.damaged > 0 and not report.ok
    filled.path.write_bytes(whole)
    await filled.open()


async def test_a_file_that_lost_its_content_is_said(filled):
    await filled.ledger.aclose()
    whole = filled.path.read_bytes()
    for left, why in ((b"", "it is empty"), (whole[:-4096], "it is cut short")):
        filled.path.write_bytes(left)
        with pytest.raises(StoreError, match=why):
            verify(filled.path)
    filled.path.write_bytes(whole)
    await filled.open()


def test_each_count_is_explained():
    told = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
    kinds = [name for name in Report.__struct_fields__ if not name.startswith("checked")]
    assert [name for name in kinds if f"| `{name}` |" not in told] == []
