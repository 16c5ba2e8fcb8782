"""A target is examined over its own dialect, by the way of every request."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Inbound, Outbound
from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from conflux.relay.probing import examine, most_cost
from conflux.routing.probing import LONGEST, ROOM
from conflux.routing.swatches import COLOURS, swatch
from tests.relay.answers import Answer, broken, whole
from tests.relay.shops import shop
from tests.relay.world import Upstream, World

PICTURES = {swatch(colour).partition(",")[2]: colour for colour in COLOURS}
Reply = Callable[[str], Answer]


class Shown(Upstream):
    """Answers by the colour it is shown."""

    def __init__(self, world: World, reply: Reply) -> None:
        super().__init__(world, [])
        self._reply = reply

    async def send(self, call: Outbound) -> Inbound:
        body = call.body.decode()
        self.script = [self._reply(next((colour for data, colour in PICTURES.items() if data in body), ""))]
        return await super().send(call)


async def found(reply: Reply, capability: Capability = Capability.VISION, **how: Any) -> tuple[Finding, Upstream]:
    world = World(shop(**how))
    upstream = Shown(world, reply)
    parts = replace(world.parts, transport=upstream)
    catalogue = world.snapshot.catalogue
    model = catalogue.resolve("shop", "shop/one")
    assert model is not None
    (target,) = world.snapshot.pools["pond"]
    finding = await examine(parts, catalogue.storefronts["shop"], model, target, capability)
    assert all(one.closed for one in upstream.opened) and not world.ledger.reserved and not world.violations
    return finding, upstream


def refusal(status: int, message: str) -> Answer:
    return Answer([json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode()], status)


async def test_who_sees_is_found_to_see_and_what_it_cost_is_the_house_s() -> None:
    sheet = PriceSheet(input=1_000_000, output=1_000_000)
    finding, upstream = await found(lambda colour: whole(colour or "nothing"), of_target={"cost": sheet})
    assert (finding.holds, finding.capability, len(finding.evidence)) == (True, Capability.VISION, 4)
    assert finding.cost == 4 * (11 + 7) * 1000 and finding.found == finding.tried > 0
    assert all(body["model"].endswith("model-0") and "stream" not in body for body in upstream.bodies)


async def test_over_another_dialect_the_pictures_arrive_too() -> None:
    def reply(colour: str) -> Answer:
        body = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "canary-model-0",
            "stop_reason": "end_turn",
            "content": [{"type": "text", "text": colour or "none"}],
            "usage": {"input_tokens": 9, "output_tokens": 1},
        }
        return Answer([json.dumps(body).encode()])  # fmt: skip

    finding, upstream = await found(reply, of_provider={"dialects": ("anthropic-messages",)})
    assert finding.holds is True and upstream.calls[0].path.endswith("/messages")


async def test_a_refusal_that_names_images_is_a_no() -> None:
    finding, _ = await found(lambda colour: refusal(400, "no image input here") if colour else whole("what picture?"))
    assert finding.holds is False and "no image input here" in finding.evidence[-1]


@pytest.mark.parametrize("answer", [refusal(401, "image"), refusal(403, "image"), refusal(404, "image"),
                                    refusal(429, "image"), refusal(500, "image"), Answer(fault=broken()),
                                    Answer(fault=broken(timeout=True)), Answer([b"<html>"])],
                         ids=["401", "403", "404", "429", "500", "refused", "silent", "no JSON"])  # fmt: skip
@pytest.mark.parametrize("capability", [Capability.VISION, Capability.TOOLS, Capability.STRUCTURED_OUTPUTS])
async def test_what_fails_says_nothing(answer: Answer, capability: Capability) -> None:
    finding, upstream = await found(lambda _: Answer(list(answer.pieces), answer.status, [], answer.fault), capability)
    assert finding.holds is None and len(upstream.calls) == 1


async def test_a_call_is_read_from_the_answer() -> None:
    asked: list[str] = []

    class Calls(Shown):
        async def send(self, call: Outbound) -> Inbound:
            words = json.loads(call.body)["messages"][0]["content"]
            asked.append(words.rstrip(".").split()[-1])
            return await super().send(call)

    world = World(shop())
    upstream = Calls(world, lambda _: called(asked[-1]))
    (target,) = world.snapshot.pools["pond"]
    model = world.snapshot.catalogue.resolve("shop", "shop/one")
    assert model is not None
    finding = await examine(replace(world.parts, transport=upstream), world.snapshot.catalogue.storefronts["shop"],
                            model, target, Capability.TOOLS)  # fmt: skip
    assert finding.holds is True and len(asked) == 1


def called(word: str) -> Answer:
    call = {"id": "c", "type": "function", "function": {"name": "echo", "arguments": json.dumps({"word": word})}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return whole(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])


async def test_what_a_question_may_cost_is_what_it_asks_for_and_what_a_picture_can_count() -> None:
    catalogue = shop(price=PriceSheet(input=3_000_000, output=15_000_000, reasoning=20_000_000))
    world = World(catalogue)
    (target,) = world.snapshot.pools["pond"]
    model = world.snapshot.catalogue.models["shop", "shop/one"]
    asked, said = LONGEST + 1_000 + 8_500, ROOM
    assert most_cost(target, model) == asked * 3_000 + said * 20_000
    assert most_cost(target, replace(model, price=PriceSheet())) is None


async def test_no_question_is_asked_that_there_is_no_room_for() -> None:
    world = World(shop(of_target={"cost": PriceSheet(input=1_000_000, output=1_000_000)}))
    upstream = Shown(world, lambda colour: whole(colour or "nothing"))
    parts = replace(world.parts, transport=upstream)
    model = world.snapshot.catalogue.models["shop", "shop/one"]
    (target,), front = world.snapshot.pools["pond"], world.snapshot.catalogue.storefronts["shop"]
    most = most_cost(target, model)
    assert most is not None
    each = (11 + 7) * 1_000
    for room, questions in ((most - 1, 0), (most, 1), (most + 3 * each - 1, 3), (most + 3 * each, 4)):
        upstream.calls.clear()
        finding = await examine(parts, front, model, target, Capability.VISION, room)
        assert (len(upstream.calls), finding.cost) == (questions, questions * each)
        assert finding.holds is (True if questions == 4 else None)
        assert questions == 4 or "not asked: it may cost more than the day has left" in finding.evidence[-1]
