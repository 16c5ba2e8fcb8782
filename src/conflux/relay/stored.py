"""Responses that their client comes back to, where the gateway's owner lets them be kept.

Law: what a request refers to is put in its place before the request is opened, so nothing behind this knows of it. A
key finds its own responses only. What is too large to be kept is answered all the same, and says that it is not kept.
"""

from typing import Any

import msgspec

from conflux.dialects import strict_json
from conflux.dialects.openai_responses_wire import KEPT_ITEM
from conflux.dialects.openai_responses_wire import NAME as RESPONSES
from conflux.neutral.errors import GatewayError, invalid
from conflux.neutral.ports import ResponseStore, StoredResponse
from conflux.relay.parts import Incoming

Items = list[dict[str, Any]]


class Recalled(msgspec.Struct, frozen=True):
    """A request with all that it refers to in its place."""

    incoming: Incoming
    input: Items | None = None  # to be kept with its answer; None: nothing is
    previous: str | None = None  # the response it goes on from


async def recall(store: ResponseStore, key_id: int, incoming: Incoming) -> Recalled:
    """Raises GatewayError for what is not there (any more), or is another key's."""
    if incoming.dialect != RESPONSES:
        return Recalled(incoming)
    try:
        body = strict_json.decode_object(incoming.body)
    except GatewayError:
        return Recalled(incoming)  # told when it is opened
    given, previous, keep = body.get("input"), body.get("previous_response_id"), body.pop("store", None)
    items = _items(given)
    if items is None or not isinstance(previous, str | None) or not isinstance(keep, bool | None):
        return Recalled(incoming)  # as above
    items = [await _referred(store, key_id, item, place) for place, item in enumerate(items)]
    if previous is not None:
        before = await store.get(key_id, previous)
        if before is None:
            raise invalid(f"Previous response with id '{previous[:80]}' not found.", "previous_response_id",
                          "previous_response_not_found")  # fmt: skip
        items = [*before.input, *before.answer["output"], *items]
        del body["previous_response_id"]
    if previous is not None or items != given:
        body["input"] = items
    raw = strict_json.encode(body)
    if keep is False:
        return Recalled(msgspec.structs.replace(incoming, body=raw), None, previous)
    if len(raw) > store.most_bytes:
        body["store"] = True  # which names it among what is left out
        return Recalled(msgspec.structs.replace(incoming, body=strict_json.encode(body)), None, previous)
    return Recalled(msgspec.structs.replace(incoming, body=raw), items, previous)


def _items(given: Any) -> Items | None:
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    right = isinstance(given, list) and all(isinstance(one, dict) for one in given)
    return given if right else None


async def _referred(store: ResponseStore, key_id: int, item: dict[str, Any], place: int) -> dict[str, Any]:
    name = item.get("id")
    if item.get("type", None if "role" in item else "item_reference") != "item_reference" or not isinstance(name, str):
        return item
    found = await store.item(key_id, name)
    if found is None:
        raise invalid(f"input[{place}]: Item with id '{name[:80]}' not found.", f"input[{place}]")
    return found


async def keep(store: ResponseStore, key_id: int, items: Items, last: bytes) -> None:
    """`last`: the end of the answer as its client gets it, plain or the last event of a stream."""
    answer = msgspec.json.decode(last[last.rfind(b"\ndata: ") + 7 :] if last[:1] != b"{" else last)
    answer = answer.get("response", answer)
    mark = answer["id"].partition("_")[2]
    named = [one if isinstance(one.get("id"), str) else {**one, "id": f"{KEPT_ITEM}{mark}{place:04x}"}
             for place, one in enumerate(items)]  # fmt: skip
    await store.put(key_id, StoredResponse(named, answer))
