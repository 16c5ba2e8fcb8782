"""A small catalogue with a panel: three that draft, two that fuse, each at a provider of its own.

Law: the world's upstream answers in the order in which it is asked: the sources in theirs, then the fuser.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from conflux.catalogue.catalogue import Catalogue, build
from conflux.neutral.flux import FluxTerms
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability, FluxRole, Model, Pool, Storefront, Target, Tier
from tests.relay.answers import INPUT, OUTPUT, Answer, request
from tests.relay.shops import provider
from tests.relay.world import World

ROLES = {"ann": FluxRole.SOURCE, "bob": FluxRole.BOTH, "cat": FluxRole.BOTH, "fay": FluxRole.FUSE, "gus": FluxRole.FUSE}
SOURCES = ("shop/ann", "shop/bob", "shop/cat")


def seat(name: str, **fields: Any) -> Model:
    number = [*ROLES].index(name) + 1
    base: dict[str, Any] = {
        "storefront": "shop",
        "id": f"shop/{name}",
        "name": name,
        "pool": name,
        "role": ROLES[name],
        "tier": Tier.PRO,
        "capabilities": frozenset(Capability),
        "context": 110_000,
        "safe_context": 100_000,
        "price": PriceSheet(input=INPUT * 1000 * number, output=OUTPUT * 1000 * number, version=f"v{number}"),
    }
    return Model(**base | fields)


def house(
    terms: FluxTerms | None = None,
    *,
    of: dict[str, dict[str, Any]] | None = None,
    more: list[Model] | None = None,
    of_storefront: dict[str, Any] | None = None,
    of_provider: dict[str, Any] | None = None,
) -> Catalogue:
    recipe = replace(terms or FluxTerms(sources=SOURCES, fuser="shop/fay"), recipe=True)
    panel = Model(storefront="shop", id="shop/flux", name="Flux", pool="", role=FluxRole.FLUX, flux=recipe)
    front: dict[str, Any] = {
        "id": "shop",
        "name": "Shop",
        "mount": "/",
        "header_prefix": "shop",
        "key_prefixes": ("sh_",),
    }
    return build(
        [Storefront(**front | (of_storefront or {}))],
        [panel, *(seat(name, **(of or {}).get(name, {})) for name in ROLES), *(more or [])],
        [Pool(id=name, targets=(Target(provider=f"canary-{name}", model=f"canary-{name}-model"),)) for name in ROLES],
        [
            provider(place, id=f"canary-{name}", label=f"canary {name}", **(of_provider or {}))
            for place, name in enumerate(ROLES)
        ],
    )


def asks(stream: bool = False, **fields: Any) -> bytes:
    return request(stream, **{"model": "shop/flux", **fields})


def hanging() -> Answer:
    """It accepts and never says a word."""
    return Answer([asyncio.Event()])


def after(turns: int, call: Callable[[], None]) -> None:
    """When everybody who can go on has gone on."""

    def turn(left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(turn, left - 1)
        else:
            call()

    turn(turns)


async def asked(world: World, body: bytes, **how: Any) -> Any:
    """The answer's `flux`, of whatever answered well."""
    assert await world.run(body, **how) is None
    world.check()
    if world.client.body[:1] == b"{":
        return world.client.json.get("flux")
    return next((one["flux"] for one in reversed(world.client.events) if one != "DONE" and "flux" in one), None)
