"""What a gateway does by itself in the background, each for ever: the look at providers' lists, the sweep, the probing.

Law: only put together here; what each one does is its own file's. Of several workers the first asks others' servers.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from conflux.faces.catalogue_admin import CatalogueAdmin
from conflux.faces.catalogue_refresh import Means as RefreshMeans
from conflux.faces.catalogue_refresh import refresh_forever
from conflux.neutral.money import NANO_PER_USD
from conflux.probing import Means as ProbingMeans
from conflux.probing import Prober
from conflux.relay.gateway import Gateway
from conflux.relay.probing import examine, most_cost
from conflux.relay.snapshot import Snapshot
from conflux.settings import Config
from conflux.stores.opening import Store
from conflux.stores.retention import Retention
from conflux.sweeping import sweep_forever
from conflux.workers import Place

_CENTS = 100
Log = Callable[[str], None]


class House(Protocol):
    """A gateway with its doors open."""

    config: Config
    place: Place | None
    store: Store
    gateway: Gateway
    catalogue: CatalogueAdmin
    retention: Retention

    def current(self) -> Snapshot: ...
    async def refresh(self) -> None: ...


def chores(house: House, log: Log) -> list[Coroutine[Any, Any, None]]:
    return [
        refresh_forever(refreshing(house, log)),
        sweep_forever(house.retention.sweep, asyncio.sleep, log),
        Prober(probing(house, log)).forever(asyncio.sleep),
    ]


def refreshing(house: House, log: Log) -> RefreshMeans:
    def interval() -> float | None:
        refresh = house.config.settings.refresh
        return refresh.seconds if refresh.enabled and _first(house) else None

    return RefreshMeans(
        interval=interval,
        last_tried=house.catalogue.last_tried,
        sync=lambda: house.catalogue.run("catalogue.sync", {}),
        now=time.time,
        sleep=asyncio.sleep,
        chance=random.random,
        log=log,
    )


def probing(house: House, log: Log) -> ProbingMeans:
    def cap() -> int | None:
        settings = house.config.settings.probing
        return settings.cents_per_day * NANO_PER_USD // _CENTS if settings.vision and _first(house) else None

    parts = house.gateway.parts
    return ProbingMeans(
        cap=cap,
        asks=lambda: house.config.settings.probing.vision,
        book=house.store.probes,
        doubts=parts.health.doubts,
        snapshot=house.current,
        examine=partial(examine, parts),
        most_cost=most_cost,
        refresh=house.refresh,
        now=time.time,
        log=log,
    )


def _first(house: House) -> bool:
    """One of several is enough."""
    return house.place is None or not house.place.worker
