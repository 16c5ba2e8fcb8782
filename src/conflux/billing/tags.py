"""The caller's own names for a request: what usage can be split by.

Law: pure. `user` and the plain values of `metadata`, as the caller sent them, few and short; anything else there is the
upstream's affair. Values are texts.
"""

from collections.abc import Mapping
from typing import Any

MOST_TAGS = 16  # as OpenAI takes them, and as long
MOST_NAME = 64
MOST_VALUE = 512

_NONE: dict[str, str] = {}


def tags_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Written for the request that has none, which is nearly every one."""
    user, metadata = body.get("user"), body.get("metadata")
    if user is None and metadata is None:
        return _NONE
    found: dict[str, str] = {}
    if isinstance(user, str) and user:
        found["user"] = user[:MOST_VALUE]
    if isinstance(metadata, Mapping):
        for name, value in metadata.items():
            text = _text(value)
            if text and 0 < len(name) <= MOST_NAME and len(found) < MOST_TAGS:
                found[name] = text[:MOST_VALUE]
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else ""
