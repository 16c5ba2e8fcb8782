"""Administration on a store of its own, as the wiring puts it together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from conflux.faces.administration import administration
from conflux.faces.operations import Work
from conflux.relay.live import with_statuses
from conflux.relay.snapshot import Snapshot
from conflux.stores.opening import Store, open_store
from tests.policy.samples import NOW, model
from tests.relay.shops import PRICE, shop
from tests.relay.world import World


class Office:
    def __init__(self, store: Store, configured: Snapshot) -> None:
        self.store = store
        self.configured = self.snapshot = configured
        self.work: dict[str, Work] = administration(store, lambda: self.snapshot, self.refresh, lambda: NOW)

    async def refresh(self) -> None:
        self.snapshot = with_statuses(self.configured, await self.store.policies.statuses(), self.snapshot.version + 1)

    async def do(self, operation: str, **params: Any) -> Any:
        return await self.work[operation](params)


@asynccontextmanager
async def office(path: Path) -> AsyncIterator[Office]:
    store = open_store(path)
    more = [model(id="shop/two", price=PRICE), model(id="shop/idle", pool="dry"), model(id="shop/off", enabled=False)]
    try:
        yield Office(store, World(shop(more=more)).snapshot)
    finally:
        await store.aclose()
