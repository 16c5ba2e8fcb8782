"""The catalogue as one frozen snapshot.

Law: complete and consistent, or not built at all. Look-ups are dictionary look-ups; an id wins over an alias.
"""

from collections.abc import Callable, Iterable

import msgspec

from conflux.neutral.plans import Plan
from conflux.neutral.records import Model, Pool, Provider, Storefront, Target


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    storefronts: dict[str, Storefront]
    models: dict[tuple[str, str], Model]  # (storefront, id)
    aliases: dict[tuple[str, str], Model]
    listed: dict[str, tuple[Model, ...]]  # storefront: its models, sorted by id
    pools: dict[str, Pool]
    providers: dict[str, Provider]
    prefixes: tuple[tuple[str, Storefront], ...]  # key prefixes, longest first
    plans: dict[str, Plan] = {}

    @property
    def root(self) -> Storefront:
        """The storefront mounted at /, whose style answers where nothing else is known."""
        for storefront in self.storefronts.values():
            if storefront.mount == "/":
                return storefront
        raise AssertionError("a catalogue without a storefront at / is not built")

    def resolve(self, storefront: str, name: str) -> Model | None:
        key = (storefront, name)
        return self.models.get(key) or self.aliases.get(key)

    def models_of(self, storefront: str) -> tuple[Model, ...]:
        return self.listed.get(storefront, ())

    def storefront_of_key(self, secret: str) -> Storefront | None:
        """The storefront whose prefix the key begins with; the longest prefix wins."""
        for prefix, storefront in self.prefixes:
            if secret.startswith(prefix):
                return storefront
        return None


def build(
    storefronts: Iterable[Storefront],
    models: Iterable[Model],
    pools: Iterable[Pool],
    providers: Iterable[Provider],
    plans: Iterable[Plan] = (),
) -> Catalogue:
    by_storefront = {one.id: one for one in storefronts}
    found = {(one.storefront, one.id): one for one in models}
    names = {
        (one.storefront, alias): one for one in found.values() for alias in (*one.aliases, one.canonical_slug or "")
    }
    return Catalogue(
        storefronts=by_storefront,
        models=found,
        aliases={key: model for key, model in names.items() if key not in found and key[1]},
        listed={
            name: tuple(sorted((one for one in found.values() if one.storefront == name), key=lambda one: one.id))
            for name in by_storefront
        },
        pools={one.id: one for one in pools},
        providers={one.id: one for one in providers},
        plans={one.id: one for one in plans},
        prefixes=tuple(
            sorted(
                ((prefix, one) for one in by_storefront.values() for prefix in one.key_prefixes),
                key=lambda pair: (-len(pair[0]), pair[0]),
            )
        ),
    )


def live_targets(pool: Pool, is_live: Callable[[str], bool]) -> tuple[Target, ...]:
    """The targets of a pool whose provider can be called."""
    return tuple(target for target in pool.targets if is_live(target.provider))
