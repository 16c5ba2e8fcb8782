"""An operation where no server runs: this process does it itself.

Law: the store's lock is held from its opening to its end, so there are never two writers. What only looks, or takes
something away, makes no store where there is none.
"""

import time
from typing import Any, cast

import msgspec

from conflux.configured import accepted, live_providers, make_snapshot, read_catalogue
from conflux.faces.administration import administration
from conflux.faces.audited import Audited
from conflux.faces.catalogue_admin import CatalogueAdmin, Surroundings
from conflux.faces.operations import KeyAdmin, Operations, makes_store
from conflux.faces.retention_admin import RetentionAdmin
from conflux.neutral.errors import ConfigError
from conflux.relay.live import simulator_provider, with_statuses
from conflux.settings import Config
from conflux.stores.opening import has_store, open_shared, open_store
from conflux.upstream.client import Client
from conflux.upstream.model_list import fetch_list


async def operate(config: Config, operation: str, params: dict[str, Any]) -> Any:
    """An operation without a server: this process opens the store itself, and holds its lock meanwhile."""
    configured = snapshot = make_snapshot(config, None)

    async def no_server() -> dict[str, Any]:
        raise ConfigError(["no server runs on this data directory"])

    def no_status() -> dict[str, Any]:
        raise ConfigError(["no server runs on this data directory"])

    url = config.settings.postgres_url
    if url is None and not has_store(config.data_dir) and not makes_store(operation):
        if operation.startswith("models."):  # asks the catalogue alone
            return await Operations(cast(KeyAdmin, None), lambda: snapshot, no_server, no_status, no_server, {}).run(
                operation, params
            )
        hint = "name another with --data, or make one with `conflux serve`"
        raise ConfigError([f"there is no gateway's data in {config.data_dir}: {hint}"])
    store = open_store(config.data_dir) if url is None else await open_shared(config.data_dir, url)
    client = Client()

    async def nothing() -> None:
        pass  # nobody runs who would have to take it over

    async def refresh() -> None:
        nonlocal snapshot
        snapshot = with_statuses(
            configured, await store.policies.statuses(), snapshot.version + 1, await store.probes.findings()
        )

    around = Surroundings(
        files=lambda changes: read_catalogue(config, changes),
        live=lambda: live_providers(snapshot),
        fetch=lambda live: fetch_list(client, live),
        take_over=nothing,
        mark=lambda missing: None,
        now=time.time,
    )
    try:
        if not operation.startswith("catalogue."):  # they must work even where what was accepted does not fit any more
            # As a server would have it, the simulator too; nothing is called.
            configured = make_snapshot(config, simulator_provider(1), changes=await accepted(store))
            await refresh()
        kept = store.retention(**msgspec.structs.asdict(config.settings.retention))
        more = administration(store, lambda: snapshot, refresh, time.time) | RetentionAdmin(kept).table()
        catalogue = CatalogueAdmin(store.catalogue, around)
        operations = Operations(store.key_admin, lambda: snapshot, no_server, no_status, store.verify, more, catalogue)
        return await Audited(operations, store.audit.add).run(operation, params)
    finally:
        await client.aclose()
        await store.aclose()
