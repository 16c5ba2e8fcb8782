"""Twin of stores/verify.py: each kind of drift is found, on either database."""

import pytest

from conflux.neutral.ledger import Kept, Once
from conflux.stores.verify import Report, nothing_but
from tests.stores.books import ending, full_ending, order

BREAKAGES = {
    "UPDATE request SET cost = cost + 1": {"misbooked", "misstated", "usage_drifted"},
    "UPDATE request SET key_id = 9": {"misbooked", "budgets_drifted", "usage_drifted", "nano_usd_drift"},
    "DELETE FROM attempt WHERE n = 0": {"unreceipted"},
    "UPDATE request SET started = 0": {"charged_unstarted"},
    "UPDATE request SET held = 1": {"charged_over_hold"},
    "UPDATE budget_window SET posted = posted + 3": {"budgets_drifted", "nano_usd_drift"},
    "UPDATE usage_day SET output = output + 1": {"usage_drifted"},
    "UPDATE budget SET cap = 1": {"budgets_overrun"},
    "UPDATE kept_answer SET request_id = 7 WHERE sealed IS NULL": {"claims_stray"},
    "UPDATE kept_answer SET request_id = 7 WHERE sealed IS NOT NULL": {"claims_stray"},
}


@pytest.fixture
async def filled(books, ledger):
    await ledger.set_budget("key", 1, "total", 1000)
    asked = [order(100) for _ in range(3)]
    for one in asked:
        await ledger.reserve(one)
    for name in (b"under way", b"answered"):
        once = Once(name=name, body=b"", expires=1 << 40)
        asked.append(order(100, once=once))
        await ledger.reserve(asked[-1])
    await ledger.settle(ending(asked[-1].request_id, kept=Kept(name=b"answered", sealed=b"x")))
    await ledger.settle(full_ending(asked[0].request_id))
    await ledger.settle(ending(asked[1].request_id, 0))
    return books


async def test_books_in_order_are_clean_and_counted(filled):
    report = await filled.ledger.verify()
    assert report.ok, report
    assert (report.checked_requests, report.checked_open, report.checked_budgets) == (3, 2, 1)


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_each_drift_has_its_count(filled, breakage):
    await filled.ledger.write(lambda run: run.execute(breakage).rowcount)
    report = await filled.ledger.verify()
    wrong = {name for name, count in report.counts().items() if count and not name.startswith("checked")}
    assert wrong == BREAKAGES[breakage]
    assert not report.ok


def test_a_report_of_one_thing_only():
    assert nothing_but(damaged=3).counts() == {**dict.fromkeys(Report.__struct_fields__, 0), "damaged": 3}
