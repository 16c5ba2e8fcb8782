"""Kept responses over HTTP: one by its id, its items, its end.

Law: a key sees its own. Where the owner keeps none, there are none; what is not there is 404 in the protocol's shape.
"""

from collections.abc import Mapping
from typing import Any

from conflux.dialects.strict_json import encode
from conflux.faces.lists import parse_query
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.ports import ResponseStore
from conflux.neutral.records import Storefront
from conflux.relay.headers import JSON

_PRIVATE = (b"cache-control", b"private, no-cache")
_USUAL, _MOST = 20, 100


async def answer(store: ResponseStore | None, key_id: int, question: Question, rest: str, face: Storefront) -> Reply:
    """`rest`: the path below /v1/responses/."""
    name, _, below = rest.partition("/")
    deletes = question.method == "DELETE" and not below
    if question.method not in ("GET", "HEAD") and not deletes:
        raise GatewayError(Kind.NOT_FOUND, f"{question.path[:200]} is not served here: send the items of the "
                           "conversation themselves to /v1/responses")  # fmt: skip
    if store is None:
        raise GatewayError(Kind.NOT_FOUND, f"Response with id '{name[:80]}' not found: this gateway keeps none.")
    if deletes:
        if not await store.delete(key_id, name):
            raise _missing(name)
        return _reply({"id": name, "object": "response", "deleted": True}, face)
    found = await store.get(key_id, name)
    if found is None:
        raise _missing(name)
    if not below:
        return _reply(found.answer, face)
    if below != "input_items":
        raise GatewayError(Kind.NOT_FOUND, f"there is nothing at {question.path[:200]}")
    return _reply(_page(found.input, parse_query(question.query)), face)


def _page(items: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """The newest first, unless the query asks otherwise."""
    order, after, limit = query.get("order", "desc"), query.get("after"), query.get("limit", str(_USUAL))
    if order not in ("asc", "desc"):
        raise invalid(f"order: {order[:40]!r} is not asc or desc", "order")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= _MOST):
        raise invalid(f"limit: a whole number from 1 to {_MOST} is wanted, not {limit[:40]!r}", "limit")
    rows = items if order == "asc" else items[::-1]
    ids = [one["id"] for one in rows]
    if after is not None and after not in ids:
        raise invalid(f"after: there is no item {after[:80]!r}", "after")
    start = ids.index(after) + 1 if after is not None else 0
    shown = rows[start : start + int(limit)]
    return {"object": "list", "data": shown, "has_more": start + len(shown) < len(rows),
            "first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None}  # fmt: skip


def _reply(view: dict[str, Any], face: Storefront) -> Reply:
    return Reply(headers=[JSON, _PRIVATE], body=encode(view), storefront=face)


def _missing(name: str) -> GatewayError:
    return GatewayError(Kind.NOT_FOUND, f"Response with id '{name[:80]}' not found.")
