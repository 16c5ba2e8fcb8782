"""Budgets: which window a moment lies in, and what a refusal says.

Law: pure. Windows are UTC: a day begins at midnight, a week on Monday, a month on its first day; `total` never ends.
A request belongs to the windows of its creation, whenever it settles.
"""

from calendar import monthrange
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.moments import moment_text
from conflux.neutral.money import usd

WINDOWS = ("total", "day", "week", "month")
KINDS = ("key", "user", "workspace", "storefront")

DAY = 86_400_000
FOREVER = (1 << 63) - 1
_WEEK_SHIFT = 3  # 1970-01-01 was a Thursday


class Span(NamedTuple):
    """From `start` up to, and without, `end`; unix milliseconds."""

    start: int
    end: int


TOTAL = Span(0, FOREVER)


def span_of(window: str, moment: int) -> Span:
    """The window that holds a moment (unix milliseconds)."""
    return TOTAL if window == "total" else _span(window, moment // DAY)


@lru_cache(maxsize=256)
def _span(window: str, day: int) -> Span:
    if window == "day":
        return Span(day * DAY, (day + 1) * DAY)
    if window == "week":
        monday = (day + _WEEK_SHIFT) // 7 * 7 - _WEEK_SHIFT
        return Span(monday * DAY, (monday + 7) * DAY)
    if window == "month":
        date = datetime.fromtimestamp(day * 86_400, UTC)
        first = day - date.day + 1
        return Span(first * DAY, (first + monthrange(date.year, date.month)[1]) * DAY)
    raise ValueError(f"{window!r} is no window: use {', '.join(WINDOWS)}")


class Full(NamedTuple):
    """A budget that a request does not fit into."""

    kind: str
    window: str
    cap: int
    posted: int
    held: int
    resets: int  # FOREVER for a total


_CODE = "budget_exceeded"
_EVERY = {"total": "total", "day": "daily", "week": "weekly", "month": "monthly"}


def refusal(full: list[Full], amount: int, moment: int) -> GatewayError:
    """402 where a total is spent, since waiting does not help; else 429 until the last full window ends."""
    totals = [one for one in full if one.window == "total"]
    worst = totals[0] if totals else max(full, key=lambda one: one.resets)
    if worst.kind == "storefront":
        return _closed(worst, moment)
    missing = worst.posted + worst.held + amount - worst.cap
    text = (
        f"the {_EVERY[worst.window]} budget of this {worst.kind} is {usd(worst.cap)} USD, of which {usd(worst.posted)}"
        f" are spent and {usd(worst.held)} are held for requests under way; this request may cost up to {usd(amount)},"
        f" so {usd(missing)} are missing"
    )
    details = {
        "scope": worst.kind,
        "window": worst.window,
        "cap_usd": usd(worst.cap),
        "spent_usd": usd(worst.posted),
        "held_usd": usd(worst.held),
        "needed_usd": usd(amount),
        "missing_usd": usd(missing),
    }
    if totals:
        text += ": ask for less (max_tokens), or have the budget raised"
        return GatewayError(Kind.PAYMENT_REQUIRED, text, code=_CODE, details=details)
    resets = details["resets_at"] = moment_text(worst.resets)
    text += f": ask for less (max_tokens), or wait until {resets}"
    return GatewayError(Kind.RATE_LIMITED, text, code=_CODE, retry_after=_wait(worst, moment), details=details)


def _closed(worst: Full, moment: int) -> GatewayError:
    """What a whole storefront has spent is for no caller to see."""
    if worst.window == "total":
        return GatewayError(Kind.PAYMENT_REQUIRED, "this storefront has spent its budget", code=_CODE)
    text = f"this storefront has spent its {_EVERY[worst.window]} budget: wait until {moment_text(worst.resets)}"
    return GatewayError(Kind.RATE_LIMITED, text, code=_CODE, retry_after=_wait(worst, moment))


def _wait(worst: Full, moment: int) -> float:
    return max((worst.resets - moment) / 1000, 1.0)
