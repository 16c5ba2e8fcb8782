"""Everything the request path may know of catalogue, providers and storefronts, at one moment.

Law: frozen. A reload builds a new one and swaps it; a request keeps the one it began with.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.ports import Headers, ServiceAccount
from conflux.neutral.records import Model, Provider, Storefront, Target


class Credential(msgspec.Struct, frozen=True):
    """One way to authenticate with a provider: its name for health and alarms, the header to send."""

    name: str
    line: bytes  # the header that carries it, as it goes out; empty for none
    account: ServiceAccount | None = None  # whose tokens are sent instead


class LiveProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that can be called now: address split, headers encoded, credentials read."""

    provider: Provider
    origin: str
    base_path: str
    head: bytes  # the headers that are the same for every request, as they go out
    credentials: tuple[Credential, ...]
    models: frozenset[str] = frozenset()  # all that is asked of it, for any pool


class LiveTarget(msgspec.Struct, frozen=True, kw_only=True):
    target: Target
    live: LiveProvider
    key: str
    weight: int


class HeaderNames(msgspec.Struct, frozen=True):
    """A storefront's own header names, encoded once."""

    requested_model: bytes
    served_model: bytes
    fallback_applied: bytes
    fallback_reason: bytes
    fallback_chain: bytes
    dropped: bytes
    cost_usd: bytes
    credits: bytes
    simulated: bytes
    route_task: bytes
    route_tier: bytes
    route_reason: bytes
    route_candidates: bytes
    route_dropped: bytes
    flux: bytes

    @classmethod
    def of(cls, prefix: str) -> "HeaderNames":
        names = (name.replace("_", "-") for name in cls.__struct_fields__)
        return cls(*(f"x-{prefix}-{name}".encode() for name in names))


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    catalogue: Catalogue
    pools: dict[str, tuple[LiveTarget, ...]]  # only what can be called now
    simulator: LiveProvider | None
    simulated: bool  # the simulator stands in for every pool
    names: dict[str, HeaderNames]
    fixed: dict[tuple[str, str, bool], Headers]  # the headers that are the same for each answer of a model
    standings: dict[Any, Any]  # standing.py's, by fingerprint: compiled when first asked for
    boards: dict[Any, Any] = msgspec.field(default_factory=dict)  # routed.py's, as the standings
    version: int = 0

    def storefront(self, name: str) -> Storefront | None:
        return self.catalogue.storefronts.get(name)

    def resolver(self, storefront: Storefront) -> Callable[[str], Model | None]:
        """Names of a storefront's catalogue to its models."""
        return partial(self.catalogue.resolve, storefront.id)

    def targets(self, model: Model, *, test: bool) -> tuple[LiveTarget, ...]:
        """What may be called for a model: a test key's calls go to the simulator and nowhere else."""
        if test:
            if self.simulator is None or model.account or model.flux is not None:
                return ()
            return (stand_in(self.simulator, model.pool),)
        return self.pools.get(model.pool, ())


def stand_in(simulator: LiveProvider, pool: str) -> LiveTarget:
    """The simulator playing a pool's target."""
    target = Target(provider=simulator.provider.id, model=pool)
    return LiveTarget(target=target, live=simulator, key=target.key, weight=1)
