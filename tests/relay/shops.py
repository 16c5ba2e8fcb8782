"""A small catalogue: one storefront, one model, one pool of targets at as many providers."""

from typing import Any

from conflux.catalogue.catalogue import Catalogue, build
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability, Model, Pool, Provider, Storefront, Target, Tier
from tests.relay.answers import CANARY, INPUT, OUTPUT

PRICE = PriceSheet(input=INPUT * 1000, output=OUTPUT * 1000)


def provider(number: int = 0, **fields: Any) -> Provider:
    base: dict[str, Any] = {
        "id": f"{CANARY}-provider-{number}",
        "label": f"{CANARY} Label",
        "base_url": f"https://{CANARY}-host-{number}.test/{CANARY}/v1",
        "dialects": ("openai-chat",),
        "credentials": ("env:A",),
        "configured": True,
    }
    return Provider(**base | fields)


def shop(
    targets: int = 1,
    *,
    of_provider: dict[str, Any] | None = None,
    of_storefront: dict[str, Any] | None = None,
    of_target: dict[str, Any] | None = None,
    more: list[Model] | None = None,
    **of_model: Any,
) -> Catalogue:
    providers = [provider(number, **(of_provider or {})) for number in range(targets)]
    pond = Pool(
        id="pond",
        targets=tuple(
            Target(provider=one.id, model=f"{CANARY}-model-{number}", **(of_target or {}))
            for number, one in enumerate(providers)
        ),
    )
    front: dict[str, Any] = {
        "id": "shop",
        "name": "Shop",
        "mount": "/",
        "header_prefix": "shop",
        "key_prefixes": ("sh_",),
    }
    fields: dict[str, Any] = {"storefront": "shop", "id": "shop/one", "name": "One", "pool": "pond", "price": PRICE,
                              "aliases": ("uno",), "capabilities": frozenset(Capability), "tier": Tier.PRO}  # fmt: skip
    return build(
        [Storefront(**front | (of_storefront or {}))], [Model(**fields | of_model), *(more or [])], [pond], providers
    )
