"""A draft as the answer: within the limits of the request, which its source was not told, or no answer at all."""

from typing import Any

import pytest

from tests.relay.answers import refused, usage, whole
from tests.relay.panels import asked, asks, house
from tests.relay.test_flux import drafts
from tests.relay.world import World


@pytest.mark.parametrize("wish", [{"n": 2}, {"logprobs": True}], ids=str)
async def test_what_a_draft_cannot_be_is_the_fusers_or_nobodys(wish: dict[str, Any]) -> None:
    world = World(house(), refused(500), whole("the draft"), refused(500), whole("fused"))
    flux = await asked(world, asks(**wish))
    assert (flux["answered_by"], flux["drafts"]) == ("fuser", 1)
    dead = World(house(), *drafts(), refused(500), refused(500), refused(500))
    await asked(dead, asks(**wish))
    assert dead.client.status in (502, 503) and dead.settled.charge == 0


LIMITED: list[tuple[dict[str, Any], str, str, bool]] = [
    ({"max_tokens": 3}, "aaaabbbbcccc", "length", True),
    ({"max_tokens": 7}, "aaaabbbbccccSTOPdddd", "stop", False),
    ({"stop": ["STOP"]}, "aaaabbbbcccc", "stop", False),
    ({"stop": "zzz"}, "aaaabbbbccccSTOPdddd", "stop", False),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("wish", "text", "reason", "cut"), LIMITED, ids=[str(one[0]) for one in LIMITED])
async def test_a_draft_for_the_answer_keeps_the_requests_limits(
    stream: bool, wish: dict[str, Any], text: str, reason: str, cut: bool
) -> None:
    draft, used = "aaaabbbbccccSTOPdddd", usage(11, 5)
    for answers in (
        [refused(500), whole(draft, used=used), refused(500)],
        [whole(draft, used=used), whole("two"), whole("three"), *(refused(500) for _ in range(3))],
    ):
        world = World(house(), *answers)
        flux = await asked(world, asks(stream, flux={"expose": "full"}, **wish))
        if stream:
            said = world.client.content
            ends = [one["choices"][0]["finish_reason"] for one in world.client.events[:-1] if one.get("choices")]
            (ended,) = [one for one in ends if one]
        else:
            (choice,) = world.client.json["choices"]
            said, ended = choice["message"]["content"], choice["finish_reason"]
        assert (flux["answered_by"], said, ended) == ("source", text, reason)
        assert flux["degraded"] is (cut or len(answers) > 3)
        assert draft in {one["text"] for one in flux["exposed"]["drafts"]}
