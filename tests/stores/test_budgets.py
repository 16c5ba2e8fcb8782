"""Twin of stores/budgets.py."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.errors import Kind
from conflux.neutral.money import usd
from conflux.stores.budgets import FOREVER, WINDOWS, Full, refusal, span_of


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "moment", "start", "end"),
    [
        ("day", "2026-11-19T12:00", "2026-11-19", "2026-11-20"),
        ("day", "2026-11-19T00:00", "2026-11-19", "2026-11-20"),
        ("day", "2026-11-18T23:59:59.999", "2026-11-18", "2026-11-19"),
        ("week", "2026-11-19T12:00", "2026-11-16", "2026-11-23"),
        ("week", "2026-11-16T00:00", "2026-11-16", "2026-11-23"),
        ("week", "2026-11-22T23:59", "2026-11-16", "2026-11-23"),
        ("month", "2026-11-19T12:00", "2026-11-01", "2026-12-01"),
        ("month", "2026-12-31T23:59", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T12:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_windows_are_those_of_the_calendar_in_utc(window, moment, start, end):
    assert span_of(window, _ms(moment)) == (_ms(start), _ms(end))


def test_a_total_never_ends():
    assert span_of("total", _ms("2026-11-19")) == (0, FOREVER)


def test_another_window_is_a_mistake():
    with pytest.raises(ValueError, match="fortnight"):
        span_of("fortnight", 0)


@given(st.sampled_from(WINDOWS), st.integers(0, 4_102_444_800_000))
def test_every_moment_lies_in_its_window_and_windows_meet(window, moment):
    span = span_of(window, moment)
    assert span.start <= moment < span.end
    if window != "total":
        assert span_of(window, span.end).start == span.end
        assert span_of(window, span.end - 1) == span


NOW = _ms("2026-11-19T12:00")


def test_a_spent_total_is_402_and_says_what_is_missing():
    error = refusal([Full("key", "total", 1_000_000_000, 900_000_000, 50_000_000, FOREVER)], 100_000_000, NOW)
    assert error.kind is Kind.PAYMENT_REQUIRED
    assert error.retry_after is None
    for part in (
        "total budget of this key is 1 USD",
        "0.9 are spent",
        "0.05 are held",
        "up to 0.1",
        "0.05 are missing",
    ):
        assert part in error.message
    assert error.details == {
        "scope": "key",
        "window": "total",
        "cap_usd": "1",
        "spent_usd": "0.9",
        "held_usd": "0.05",
        "needed_usd": "0.1",
        "missing_usd": "0.05",
    }


def test_a_spent_window_is_429_until_it_ends():
    error = refusal([Full("workspace", "day", 10, 10, 0, _ms("2026-11-20"))], 1, NOW)
    assert error.kind is Kind.RATE_LIMITED
    assert error.retry_after == 12 * 3600
    assert "daily budget of this workspace" in error.message and "2026-11-20T00:00:00Z" in error.message
    assert error.details is not None and error.details["resets_at"] == "2026-11-20T00:00:00Z"


def test_a_total_outweighs_a_window_and_the_last_window_the_first():
    day = Full("key", "day", 10, 10, 0, _ms("2026-11-20"))
    month = Full("user", "month", 10, 10, 0, _ms("2026-12-01"))
    total = Full("workspace", "total", 10, 10, 0, FOREVER)
    assert refusal([day, month, total], 1, NOW).kind is Kind.PAYMENT_REQUIRED
    assert refusal([day, month], 1, NOW).retry_after == 11.5 * 24 * 3600


@pytest.mark.parametrize(("window", "kind"), [("total", Kind.PAYMENT_REQUIRED), ("month", Kind.RATE_LIMITED)])
def test_what_a_storefront_spends_is_for_no_caller_to_see(window, kind):
    error = refusal([Full("storefront", window, 987_654, 876_543, 0, span_of(window, NOW).end)], 765_432, NOW)
    assert error.kind is kind and error.details is None
    assert "this storefront has spent its" in error.message
    for figure in (987_654, 876_543, 765_432, 987_654 - 876_543):
        assert usd(figure) not in error.message
    assert (error.retry_after is not None) == (window == "month")
