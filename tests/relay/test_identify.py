"""Who calls, and which storefront answers."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue, build
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Storefront
from conflux.relay.identify import BAD_KEY, MISSING_KEY, identify, root_storefront
from tests.policy.samples import caller
from tests.relay.world import KEY, World

ROOT = Storefront(id="shop", name="Shop", mount="/")
MALL = Storefront(id="mall", name="Mall", mount="/mall")


def two() -> Catalogue:
    return build([MALL, ROOT], [], [], [])


async def who(world: World, secret: str | None, mount: Storefront | None = None) -> str:
    """The storefront that answers, or what is refused."""
    try:
        return (await identify(world.parts, world.snapshot, secret, mount))[1].id
    except GatewayError as error:
        assert error.kind is Kind.UNAUTHENTICATED
        return error.message


@pytest.mark.parametrize(
    ("fields", "mount", "answers"),
    [
        ({"storefront": "shop"}, None, "shop"),
        ({"storefront": "mall"}, None, "mall"),
        ({"storefront": "mall"}, MALL, "mall"),
        ({"storefront": "shop"}, ROOT, "shop"),
        ({"storefront": "shop"}, MALL, BAD_KEY),
        ({"storefront": "mall"}, ROOT, BAD_KEY),
        ({"storefront": "shop", "admin": True}, MALL, "mall"),
        ({"storefront": "gone"}, None, BAD_KEY),
        ({"storefront": "gone", "admin": True}, None, "shop"),
        ({"storefront": "gone", "admin": True}, MALL, "mall"),
    ],
)
async def test_whose_key_opens_what(fields: dict[str, Any], mount: Storefront | None, answers: str) -> None:
    world = World(two())
    world.keys.callers[KEY] = caller(**fields)
    assert await who(world, KEY, mount) == answers


async def test_without_a_key_and_with_a_bad_one() -> None:
    world = World(two())
    assert await who(world, None) == MISSING_KEY
    assert await who(world, "") == BAD_KEY
    assert await who(world, "sh_unknown") == BAD_KEY
    assert await who(world, None, MALL) == MISSING_KEY
    assert world.keys.looked_up == []  # known to be bad: nobody asks the store


async def test_a_key_not_in_memory_is_looked_up_and_may_be_bad_all_the_same() -> None:
    world = World(two())
    world.keys.cold |= {KEY, "sh_other"}
    assert await who(world, KEY) == "shop"
    assert await who(world, "sh_other") == BAD_KEY
    assert world.keys.looked_up == [KEY, "sh_other"]


@pytest.mark.parametrize("fields", [{"revoked": True}, {"expires_at": 1}])
async def test_a_key_that_ended_opens_nothing_even_under_its_mount(fields: dict[str, Any]) -> None:
    world = World(two())
    world.keys.callers[KEY] = caller(**fields)
    for mount in (None, ROOT, MALL):
        assert "ask for a new one" in await who(world, KEY, mount)


def test_the_root_answers_where_nothing_else_is_known() -> None:
    assert root_storefront(World(two()).snapshot) is ROOT
