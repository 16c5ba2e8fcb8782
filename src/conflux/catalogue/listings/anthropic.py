"""Anthropic's shape, for clients that send `anthropic-version`: rows and the pages they come in.

Law: a cursor is an id, and the list is sorted by id, so a page after a model that has gone meanwhile is still the page
that comes next. A limit out of range is refused, as Anthropic does.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from conflux.catalogue.listings.row import Rendered, Row, Shape
from conflux.neutral.errors import invalid
from conflux.neutral.moments import moment_text

_USUAL, _MOST = 20, 1000


def anthropic(row: Row) -> Rendered:
    model = row.model
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": moment_text(model.created * 1000),
        "max_input_tokens": model.safe_context,
        "max_tokens": model.max_output,
        "capabilities": None,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
    }


class Slice(NamedTuple):
    """Which rows are on the page, and whether more follow in the direction that was asked for."""

    start: int
    end: int
    more: bool


def page(ids: Sequence[str], query: Mapping[str, str]) -> Slice:
    """The page of the sorted ids that limit, after_id and before_id ask for."""
    limit = _limit(query.get("limit"))
    after, before = query.get("after_id"), query.get("before_id")
    if after and before:
        raise invalid("after_id and before_id exclude each other: send one of them", "before_id")
    if before:
        end = bisect_left(ids, before)
        start = max(0, end - limit)
        return Slice(start, end, start > 0)
    start = bisect_right(ids, after) if after else 0
    end = min(len(ids), start + limit)
    return Slice(start, end, end < len(ids))


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= limit <= _MOST:
        raise invalid(f"limit: a whole number from 1 to {_MOST} is wanted, not {text[:40]!r}", "limit")
    return limit


def paged(ids: Sequence[str], query: Mapping[str, str]) -> tuple[int, int, dict[str, Any]]:
    start, end, more = page(ids, query)
    first, last = (ids[start], ids[end - 1]) if start < end else (None, None)
    return start, end, {"has_more": more, "first_id": first, "last_id": last}


SHAPE = Shape(anthropic, head=b'{"data":[', paged=paged)
