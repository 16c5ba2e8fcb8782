"""POST /v1/feedback: by whom, about what, and everything that makes no sense."""

import json
from typing import Any

import pytest

from conflux.faces.feedback import understand
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import request_id_text
from conflux.routing.opinions import FULL, Subject
from tests.faces.door import Said, opened
from tests.faces.test_public import BEARER, NUMBER, receipt
from tests.relay.shops import shop
from tests.relay.world import World

ID = request_id_text(NUMBER)
ABOUT = Subject("shop", "shop/one", "creative", False)


def body(**fields: Any) -> bytes:
    return json.dumps({"id": ID, "score": 0.5, **fields}).encode()


@pytest.fixture
def world() -> World:
    found = World(shop())
    found.ledger.receipts[NUMBER] = receipt(task="creative")
    return found


async def test_a_word_counts_at_once_and_once(world: World) -> None:
    said = Said()
    opinions = world.health.measures.opinions
    before = opinions.quality(ABOUT, lambda _: 0.5)
    async with opened(world, feedback=said) as door:
        status, head, answer = await door.post("/v1/feedback", body(score=1, comment="good"), BEARER)
        assert status == 200 and b"no-cache" in head and b"x-request-id" in head
        assert json.loads(answer) == {"id": ID, "object": "feedback", "model": "shop/one", "task_type": "creative",
                                      "score": 1.0, "recorded": True}  # fmt: skip
        again = await door.post("/v1/feedback", body(score=1, comment="good"), BEARER)
        assert again[0] == 200 and json.loads(again[2])["recorded"] is False
    assert (said.given[0].score, said.given[0].comment, said.given[0].task) == (FULL, "good", "creative")
    assert opinions.quality(ABOUT, lambda _: 0.5) > before
    assert world.ledger.reserved == [] and world.upstream.opened == []


async def test_only_the_key_that_asked_may_say_something_and_only_of_an_answer(world: World) -> None:
    said = Said()
    async with opened(world, feedback=said) as door:
        world.ledger.receipts[NUMBER] = receipt(caller_key=2)
        status, _, answer = await door.post("/v1/feedback", body(), BEARER)
        assert status == 404 and ID in answer.decode() and json.loads(answer)["error"]["param"] == "id"
        world.ledger.receipts[NUMBER] = receipt(served_model=None)
        assert (await door.post("/v1/feedback", body(), BEARER))[0] == 400
        world.ledger.receipts.clear()
        assert (await door.post("/v1/feedback", body(), BEARER))[0] == 404
        assert (await door.post("/v1/feedback", body()))[0] == 401
        status, head, _ = await door.get("/v1/feedback", BEARER)
        assert status == 405 and b"allow: POST" in head
    assert said.given == []


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"", None),
        (b"[]", None),
        (b"{", None),
        (b"{}", "id"),
        (body(id="req_x"), "id"),
        (body(id=7), "id"),
        (body(score=1.01), "score"),
        (body(score=-2), "score"),
        (body(score=True), "score"),
        (body(score="1"), "score"),
        (body(score=None), "score"),
        (body(score=10**400), "score"),
        (body(comment=7), "comment"),
        (body(comment="x" * 2001), "comment"),
        (body(comment="a\0b"), "comment"),
        (body(stars=5), "stars"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(raw: bytes, param: str | None) -> None:
    with pytest.raises(GatewayError) as refused:
        understand(raw)
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, param)


def test_scores_are_whole_millionths() -> None:
    assert understand(body(score=-0.3333333)) == (NUMBER, -333_333, "")
    assert understand(body(score=0, comment="ok")) == (NUMBER, 0, "ok")
