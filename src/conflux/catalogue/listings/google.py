"""Google's shape, for clients of the Gemini API: rows and the pages they come in.

Law: a page's token is the id it begins after, so a list that changes meanwhile is still read on where it stopped. What
a model takes is said by the methods that are served here.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from conflux.catalogue.listings.row import Rendered, Row, Shape
from conflux.neutral.errors import invalid
from conflux.neutral.records import Capability

_USUAL, _MOST = 50, 1000


def google(row: Row) -> Rendered:
    model = row.model
    chats = model.kind == "chat"
    found: Rendered = {
        "name": f"models/{model.id}",
        "baseModelId": model.id,
        "version": "001",
        "displayName": model.name,
        "inputTokenLimit": model.safe_context,
        "outputTokenLimit": model.max_output,
        "supportedGenerationMethods": ["generateContent", "countTokens"] if chats else [],
        "thinking": True if Capability.REASONING in model.capabilities else None,
    }
    return {name: value for name, value in found.items() if value is not None}  # Google leaves out what it does not say


def paged(ids: Sequence[str], query: Mapping[str, str]) -> tuple[int, int, dict[str, Any]]:
    text = query.get("pageSize") or query.get("page_size") or str(_USUAL)
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if size < 1:
        raise invalid(f"pageSize: a whole number from 1 to {_MOST} is wanted, not {text[:40]!r}", "pageSize")
    after = query.get("pageToken") or query.get("page_token")
    start = bisect_right(ids, after) if after else 0
    end = min(len(ids), start + min(size, _MOST))
    return start, end, {"nextPageToken": ids[end - 1]} if start < end < len(ids) else {}


SHAPE = Shape(google, head=b'{"models":[', paged=paged)
