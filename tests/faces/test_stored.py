"""Kept responses over HTTP, for their own key."""

import json
from typing import Any

import pytest

from conflux.faces.question import Question
from conflux.faces.stored import answer
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ports import StoredResponse
from tests.relay.shops import shop
from tests.relay.test_stored import BEFORE, Shelf

(FACE,) = shop().storefronts.values()
THREE = StoredResponse([*BEFORE.input, {"id": "item_2"}, {"id": "item_3"}], BEFORE.answer)


async def ask(rest: str, *, method: str = "GET", query: bytes = b"", key: int = 1, shelf: Shelf | None = None) -> Any:
    if shelf is None:
        shelf = Shelf()
        shelf.found[1, "resp_1"] = THREE
    question = Question(method=method, path=f"/v1/responses/{rest}", query=query, secret=None, mount=None, headers=[])
    return json.loads((await answer(shelf, key, question, rest, FACE)).body)


async def test_a_response_its_items_and_its_end() -> None:
    assert await ask("resp_1") == BEFORE.answer
    assert await ask("resp_1", method="DELETE") == {"id": "resp_1", "object": "response", "deleted": True}


@pytest.mark.parametrize(("query", "ids", "more"), [
    (b"", [3, 2, 1], False), (b"order=asc", [1, 2, 3], False), (b"limit=2", [3, 2], True),
    (b"order=asc&after=item_1&limit=1", [2], True), (b"after=item_1", [], False),
])  # fmt: skip
async def test_items_in_pages(query: bytes, ids: list[int], more: bool) -> None:
    found = await ask("resp_1/input_items", query=query)
    assert [one["id"] for one in found["data"]] == [f"item_{one}" for one in ids]
    assert found["has_more"] is more and found["object"] == "list"
    assert found["first_id"] == (f"item_{ids[0]}" if ids else None)


@pytest.mark.parametrize("query", [b"limit=0", b"limit=101", b"limit=x", b"order=up", b"after=item_9"])
async def test_a_wrong_page_is_refused(query: bytes) -> None:
    with pytest.raises(GatewayError) as error:
        await ask("resp_1/input_items", query=query)
    assert query.decode().startswith(f"{error.value.param}=")


@pytest.mark.parametrize(("rest", "method", "key"), [
    ("resp_2", "GET", 1), ("resp_2", "DELETE", 1), ("resp_1", "GET", 2), ("resp_1", "DELETE", 2),
    ("resp_1/input_items", "GET", 2), ("resp_1/other", "GET", 1), ("compact", "POST", 1), ("resp_1/cancel", "POST", 1),
])  # fmt: skip
async def test_what_is_not_there_is_404(rest: str, method: str, key: int) -> None:
    with pytest.raises(GatewayError) as error:
        await ask(rest, method=method, key=key)
    assert error.value.kind is Kind.NOT_FOUND
