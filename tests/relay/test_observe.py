"""What requests teach: whole ones through the gateway, and what each ending says."""

import pytest

from conflux.neutral.records import Model
from conflux.relay.routed import measured_as
from conflux.routing.measures import Measured
from tests.policy.samples import model
from tests.relay.answers import refused, request, streamed, whole
from tests.relay.shops import shop
from tests.relay.test_fallback import FAILS, TWO
from tests.relay.test_fallback import world as two_models
from tests.relay.world import World


def learned(world: World, of: Model | None = None) -> Measured:
    return world.health.measures.of(measured_as(of or model(), simulated=False), world.clock.monotonic())


async def test_a_good_answer_is_learned_from_once() -> None:
    world = World(shop(), whole())
    await world.run(request())
    found = learned(world)
    assert found.changes == 1 and found.odds.good > found.odds.bad
    assert found.length("", 500) < 500


async def test_a_task_is_learned_under_its_name_and_its_conversation_remembered() -> None:
    world = World(shop(), whole(), whole())
    await world.run(request(model=None, task_type="creative"))
    found = learned(world)
    assert found.length("creative", 500) < found.length("code_gen", 500) < 500
    assert len(world.health.measures.homes) == 1
    await world.run(request())
    assert len(world.health.measures.homes) == 1  # who names a model stays nowhere


async def test_a_failure_of_the_model_counts_against_it() -> None:
    world = World(shop(), refused(500))
    before = learned(world).odds.lower()
    await world.run(request())
    assert learned(world).odds.lower() < before and learned(world).changes == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_request_that_is_to_blame_says_nothing(status: int) -> None:
    world = World(shop(), refused(status))
    await world.run(request())
    assert learned(world).changes == 0


async def test_a_retry_that_helped_is_a_success() -> None:
    world = World(shop(targets=2), refused(500), whole())
    await world.run(request())
    assert learned(world).changes == 1 and learned(world).odds.bad <= 1.5


async def test_a_client_that_left_says_nothing() -> None:
    world = World(shop(), streamed("a", "b"))
    world.at, world.disturb = 4, world.client.leave
    await world.run(request(stream=True))
    assert learned(world).changes == 0


async def test_who_stood_in_is_credited_and_who_failed_is_not() -> None:
    one = two_models(FAILS, whole(), more=[TWO])
    await one.run(request())
    assert one.client.status == 200
    assert learned(one).odds.bad > learned(one, TWO).odds.bad
    assert (learned(one).changes, learned(one, TWO).changes) == (1, 1)
