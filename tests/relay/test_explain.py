"""An explanation and the request itself: the same choice by the same numbers."""

import random

from conflux.dialects import DIALECTS
from conflux.relay.admit import admit
from conflux.relay.explain import explained
from conflux.relay.parts import Incoming
from conflux.routing.measures import Answer
from tests.policy.samples import caller
from tests.relay.answers import request
from tests.relay.shops import shop
from tests.relay.test_admit import tiered
from tests.relay.world import KEY, World


async def test_what_is_explained_is_what_happens() -> None:
    chance = random.Random(5)
    catalogue = shop(more=[tiered(f"shop/m{place}", chance.randrange(1, 3_000_000)) for place in range(12)])
    world = World(catalogue)
    for _ in range(40):
        body = request(model=None, task_type="creative", prefer=chance.choice(("cost", "speed", "quality")),
                       max_tokens=chance.randrange(10, 3000))  # fmt: skip
        incoming = Incoming(dialect="openai-chat", body=body, secret=KEY, headers=[], mount=None)
        _, shown = await explained(world.parts, incoming)
        front = world.snapshot.catalogue.storefronts["shop"]
        found = admit(world.parts, world.snapshot, caller(), front, DIALECTS["openai-chat"], incoming)
        if "explored" not in (shown["reason"], found.route.decision.reason if found.route else ""):
            assert shown["model"] == found.model.id
            assert shown["model"] == min(shown["candidates"], key=lambda row: float(row["score"]))["model"]
        world.health.measures.of("pond", 0.0).answered(
            Answer(chance.random() < 0.9, "creative", 900, True, chance.random(), 5.0, 100), world.clock.monotonic()
        )
