"""What is asked for one request: how often, whom, and what the client is told where nothing is left."""

from conflux.routing.budget import FLOOR, WINDOW
from conflux.routing.choice import MOST_ATTEMPTS
from conflux.routing.health import EJECTION, LAST_RESORTS, HealthBook
from tests.relay.answers import Answer, broken, refused, request, whole
from tests.relay.shops import shop
from tests.relay.world import Client, World


def eject(world: World, *numbers: int) -> None:
    for number in numbers:
        health = world.health.of(world.snapshot.pools["pond"][number].key)
        health.ejected, health.ejected_until = True, world.clock.ticks + EJECTION


def hosts(world: World) -> list[str]:
    return [call.origin for call in world.upstream.calls]


async def again(world: World) -> Client:
    world.client = Client(world)
    assert await world.run(request()) is None
    return world.client


async def test_at_most_so_many_different_targets() -> None:
    world = World(shop(5), *[refused(500)] * 9)
    await world.run(request())
    assert len(hosts(world)) == len(set(hosts(world))) == MOST_ATTEMPTS
    assert world.client.status == 502
    world.check()


async def test_the_first_failure_is_what_the_client_is_told() -> None:
    world = World(shop(2), refused(429, headers=[(b"retry-after", b"9")]), Answer(fault=broken()))
    await world.run(request())
    assert (world.client.status, world.client.text[b"retry-after"]) == (429, b"9")
    world.check()


async def test_without_a_budget_nothing_is_tried_again() -> None:
    world = World(shop(2), refused(500))
    budget = world.health.budget("pond")
    for _ in range(FLOOR * WINDOW):
        assert budget.retry(world.clock.ticks)
    await world.run(request())
    assert (len(world.upstream.calls), world.client.status) == (1, 502)
    assert budget.requests == 1
    world.check()


async def test_a_failed_probe_takes_nothing_from_the_budget() -> None:
    world = World(shop(2), refused(500), whole())
    eject(world, 0)
    world.clock.ticks += EJECTION
    while world.health.budget("pond").retry(world.clock.ticks):
        pass
    await world.run(request())
    assert (len(world.upstream.calls), world.client.status) == (2, 200)
    world.check()


async def test_what_is_shut_gets_a_first_try_but_no_second() -> None:
    world = World(shop(2), refused(500), whole())
    eject(world, 0, 1)
    await world.run(request())
    assert (len(world.upstream.calls), world.client.status) == (1, 502)
    assert (await again(world)).status == 200
    (asked,) = {call.origin for call in world.upstream.calls}
    (target,) = [one for one in world.snapshot.pools["pond"] if one.live.origin == asked]
    assert world.health.of(target.key).open(world.clock.ticks)  # its first word brought it back


async def test_who_finds_nobody_to_ask_is_told_at_once() -> None:
    world = World(shop(1))
    eject(world, 0)
    health = world.health.of(world.snapshot.pools["pond"][0].key)
    legs = [health.began(world.clock.ticks) for _ in range(LAST_RESORTS)]
    await world.run(request())
    assert (world.client.status, world.client.text[b"retry-after"]) == (503, b"1")
    assert world.upstream.calls == []
    assert world.settled.charge == 0
    for leg in legs:
        health.ended(0, leg, answered=False)
    world.check()


async def test_a_probe_keeps_its_client_waiting_for_less() -> None:
    world = World(shop(2))
    world.upstream.script = [Answer([lambda: world.clock.pass_by(1), *whole().pieces])]
    await world.run(request())
    book: HealthBook = world.health
    (asked,) = [n for n, one in enumerate(world.snapshot.pools["pond"]) if one.live.origin == hosts(world)[0]]
    assert book.of(world.snapshot.pools["pond"][asked].key).failures == 0
    eject(world, asked)
    world.clock.ticks += EJECTION
    await again(world)
    assert hosts(world)[1] == hosts(world)[0]
    assert [call.first_byte_timeout for call in world.upstream.calls] == [60.0, 10.0]
    world.check()
