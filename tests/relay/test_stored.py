"""What a request refers to is put in its place; what is kept is what the client got."""

import json
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError
from conflux.neutral.ports import StoredResponse
from conflux.relay.parts import Incoming
from conflux.relay.stored import Recalled, keep, recall


class Shelf:
    """Implements ports.ResponseStore."""

    most_bytes = 1000

    def __init__(self) -> None:
        self.found: dict[tuple[int, str], StoredResponse] = {}

    async def get(self, key_id: int, name: str) -> StoredResponse | None:
        return self.found.get((key_id, name))

    async def item(self, key_id: int, name: str) -> dict[str, Any] | None:
        for (owner, _), one in self.found.items():
            for item in (*one.input, *one.answer["output"]):
                if owner == key_id and item["id"] == name:
                    return dict(item)
        return None

    async def put(self, key_id: int, response: StoredResponse) -> None:
        self.found[key_id, response.answer["id"]] = response

    async def delete(self, key_id: int, name: str) -> bool:
        return self.found.pop((key_id, name), None) is not None


HI = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
SAID = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
BEFORE = StoredResponse([{**HI, "id": "item_1"}], {"id": "resp_1", "output": [SAID]})


@pytest.fixture
def shelf() -> Shelf:
    found = Shelf()
    found.found[1, "resp_1"] = BEFORE
    return found


def asking(dialect: str = "openai-responses", **body: Any) -> Incoming:
    return Incoming(dialect=dialect, body=json.dumps({"model": "m", **body}).encode(), secret=None, mount=None)


def body(found: Recalled) -> Any:
    return json.loads(found.incoming.body)


async def test_what_came_before_stands_before(shelf: Shelf) -> None:
    found = await recall(shelf, 1, asking(input="More", previous_response_id="resp_1", store=True))
    more = {**HI, "content": [{"type": "input_text", "text": "More"}]}
    assert body(found) == {"model": "m", "input": [*BEFORE.input, SAID, more]}
    assert (found.input, found.previous) == (body(found)["input"], "resp_1")


async def test_an_item_is_put_where_it_is_referred_to(shelf: Shelf) -> None:
    found = await recall(shelf, 1, asking(input=[{"type": "item_reference", "id": "msg_1"}, {"id": "item_1"}, HI]))
    assert body(found)["input"] == [SAID, BEFORE.input[0], HI]


@pytest.mark.parametrize(("fields", "param"), [
    ({"input": "x", "previous_response_id": "resp_2"}, "previous_response_id"),
    ({"input": [HI, {"type": "item_reference", "id": "msg_2"}]}, "input[1]"),
])  # fmt: skip
async def test_what_is_not_there_is_said_by_name(shelf: Shelf, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError, match="not found") as error:
        await recall(shelf, 1, asking(**fields))
    assert error.value.param == param


async def test_another_key_finds_nothing(shelf: Shelf) -> None:
    with pytest.raises(GatewayError, match="not found"):
        await recall(shelf, 2, asking(input="x", previous_response_id="resp_1"))
    with pytest.raises(GatewayError, match="not found"):
        await recall(shelf, 2, asking(input=[{"type": "item_reference", "id": "msg_1"}]))


async def test_case_40_what_is_not_to_be_kept_is_not(shelf: Shelf) -> None:
    assert (await recall(shelf, 1, asking(input="x", store=False))).input is None
    assert (await recall(shelf, 1, asking(input="x"))).input == [
        {**HI, "content": [{"type": "input_text", "text": "x"}]}
    ]
    going_on = await recall(shelf, 1, asking(input="x", store=False, previous_response_id="resp_1"))
    assert going_on.input is None and len(body(going_on)["input"]) == 3


async def test_what_is_too_large_is_answered_and_named(shelf: Shelf) -> None:
    found = await recall(shelf, 1, asking(input="x" * 1000))
    assert found.input is None and body(found)["store"] is True


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"input":7}', b'{"input":[7]}', b'{"input":"x","store":7}',
                                 b'{"input":"x","previous_response_id":7}'])  # fmt: skip
async def test_what_is_wrong_is_left_to_whoever_opens_it(shelf: Shelf, raw: bytes) -> None:
    incoming = Incoming(dialect="openai-responses", body=raw, secret=None, mount=None)
    assert await recall(shelf, 1, incoming) == Recalled(incoming)
    other = asking("openai-chat", input="x")
    assert await recall(shelf, 1, other) == Recalled(other)


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_kept_is_what_the_client_got(shelf: Shelf, stream: bool) -> None:
    answer = {"id": "resp_ab", "output": [SAID], "usage": {"cost": 0.1}}
    last = json.dumps(answer).encode()
    if stream:
        event = json.dumps({"type": "response.completed", "response": answer}).encode()
        last = b"event: a\ndata: {}\n\nevent: response.completed\ndata: " + event + b"\n\n"
    await keep(shelf, 1, [HI, SAID], last)
    assert shelf.found[1, "resp_ab"] == StoredResponse([{**HI, "id": "item_ab0000"}, SAID], answer)
