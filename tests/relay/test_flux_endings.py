"""Every way out of a panel: at each point where it waits, the client leaves, the server stops, or both.

Law: whatever happens where, it is settled once, the seats add up to the charge and stay within the hold, nobody pays
for what did not go out, and no source is left running.
"""

from collections.abc import Callable

import pytest

from conflux.neutral.flux import FluxTerms
from conflux.neutral.ledger import Ending
from tests.relay.answers import broken, refused, streamed, whole
from tests.relay.panels import SOURCES, asks, house
from tests.relay.test_passage_endings import DISTURBANCES
from tests.relay.world import World

Scene = tuple[Callable[[], World], bytes]


def panel() -> World:
    return World(house(), whole("one"), whole("two"), whole("three"), whole("answer"))


def stream() -> World:
    return World(house(), whole("one"), refused(500), whole("three"), streamed("an", "swer"))


def told() -> World:
    world = stream()
    world.told = True
    return world


def replayed() -> World:
    return World(house(), whole("one"), refused(500), refused(500))


def degraded() -> World:
    return World(house(), whole("one"), whole("two"), whole("three"), refused(500), refused(500), refused(500))


def compared() -> World:
    recipe = FluxTerms(sources=SOURCES, fuser="shop/fay", analysis=True)
    return World(house(recipe), whole("one"), whole("two"), whole("three"), whole("same"), streamed("an", "swer"))


def cut() -> World:
    return World(house(), whole("one"), whole("two"), whole("three"), streamed("an", end=[broken("body")]))


SCENES: dict[str, Scene] = {
    "panel": (panel, asks()),
    "stream": (stream, asks(True)),
    "told": (told, asks(True, flux={"progress": "chunk"})),
    "replayed": (replayed, asks(True)),
    "replayed whole": (replayed, asks()),
    "degraded": (degraded, asks(True)),
    "compared": (compared, asks(True)),
    "cut": (cut, asks(True)),
}


@pytest.mark.parametrize("lossy", [False, True], ids=["written all the same", "lost with its caller"])
@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("scene", SCENES)
async def test_each_way_out(scene: str, disturb: Callable[[World], None], lossy: bool) -> None:
    make, body = SCENES[scene]
    calm = make()
    assert await calm.run(body) is None
    calm.check()
    assert calm.points > 10
    for place in range(calm.points):
        world = make()
        world.ledger.lossy = lossy
        world.at = place
        world.disturb = lambda world=world: disturb(world)  # type: ignore[misc]
        assert await world.run(body) is None, place
        world.check()
        judge(world, place)


def judge(world: World, place: int) -> None:
    if not world.ledger.reserved:
        assert not world.ledger.settled, place
        return
    end, (order,) = world.settled, world.ledger.reserved
    assert end.charge == sum(call.cost for call in end.calls) == sum(line.amount for line in end.lines), place
    assert end.charge <= order.amount, place
    content = world.client.content if "begin" in world.journal else world.client.status == 200
    if content:
        assert end.charge > 0, place
    if end.ending is Ending.FAILED or ("started" not in world.journal and end.ending is Ending.CANCELLED):
        assert end.charge == 0, place
    if world.client.gone:
        return
    assert world.client.ended, place
    if world.client.status == 200 and end.ending is not Ending.DONE:
        assert "error" in world.client.events[-2], place
