"""Many requests through one gate: each is its own."""

from typing import Any

from conflux.neutral.ledger import request_id_text
from tests.relay.answers import (
    refused,
    request,
    streamed,
    whole,
)
from tests.relay.world import Client, World


async def asked(world: World, body: bytes, **how: Any) -> None:
    assert await world.run(body, **how) is None
    world.check()


async def test_every_answer_has_the_requests_id_and_no_two_have_the_same() -> None:
    world, ids = World(), []
    for stream, answer in [(False, whole()), (True, streamed("a")), (False, refused(400)), (False, whole())]:
        world.upstream.script.append(answer)
        world.client = Client(world)
        assert await world.run(request(stream)) is None
        ids.append(world.client.text[b"x-request-id"].decode())
    assert len(set(ids)) == 4
    assert [request_id_text(order.request_id) for order in world.ledger.reserved] == ids
