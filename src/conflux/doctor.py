"""`conflux doctor`: is everything here that a gateway needs, and what is wrong where it is not.

Law: looks, changes nothing, and says for each finding what to do. Read from top to bottom, each step needs the one
before. A provider is connected to, TLS included, and asked nothing: no secret leaves.
"""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from conflux.configured import catalogue_mistakes, make_snapshot, make_tls, secret_reader
from conflux.dialects import DIALECTS
from conflux.faces.control import server_runs
from conflux.neutral.errors import ConfigError, StoreError, TransportError
from conflux.relay.live import find_live
from conflux.relay.snapshot import LiveProvider
from conflux.settings import BrokenSettings, Config
from conflux.stores.opening import reach
from conflux.upstream.client import Client

Finding = tuple[str, bool, str]

_REACH_SECONDS = 5.0

_LEAST_FREE = 512 * 1024 * 1024


def examine(read: Callable[[], Config]) -> list[Finding]:
    found: list[Finding] = [
        ("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]}, 3.11 or later is needed"),
        ("sqlite", sqlite3.sqlite_version_info >= (3, 37), f"{sqlite3.sqlite_version}, 3.37 or later is needed"),
    ]
    try:
        config = read()
    except ConfigError as error:
        found += (("configuration", False, line) for line in error.problems)
        rest = error.rest if isinstance(error, BrokenSettings) else None
        return [*found, *(("catalogue", False, line) for line in catalogue_mistakes(rest))]
    found.append(("configuration", True, str(config.file) if config.file is not None else "no file, defaults"))
    days = config.settings.responses.keep_days
    kept = f"kept for {days} days, prompts and answers, in the database" if days else "not kept: no prompt is stored"
    found.append(("responses", True, kept))
    found += _data(config.data_dir)
    if config.settings.postgres_url is not None:
        found.append(_database(config.settings.postgres_url))
    try:
        snapshot = make_snapshot(config, None)
    except ConfigError as error:
        return [*found, *(("catalogue", False, line) for line in error.problems)]
    models = snapshot.catalogue.models.values()
    found.append(("catalogue", True, f"{len(models)} models in {len(snapshot.catalogue.storefronts)} storefronts"))
    live, _ = find_live(snapshot.catalogue, secret_reader(config), DIALECTS)
    text = (
        ", ".join(sorted(live))
        if live
        else "none: every answer will be simulated; set OPENAI_API_KEY, or a [[provider]]"
    )
    found.append(("providers", True, text))
    found += _reachable(config, live)
    running = server_runs(config.data_dir)
    found.append(("server", True, "running" if running else "not running; `conflux serve` starts it"))
    return found


def _database(url: str) -> Finding:
    try:
        return ("database", True, asyncio.run(reach(url)))
    except (ConfigError, StoreError) as error:
        return ("database", False, str(error))


def _reachable(config: Config, live: dict[str, LiveProvider]) -> list[Finding]:
    """What keeps the live providers from being reached, if anything does."""
    try:
        tls = make_tls(config)
    except ConfigError as error:
        return [("ca_file", False, line) for line in error.problems]

    async def reach_all() -> list[Finding]:
        client = Client(tls=lambda: tls)
        try:
            found = await asyncio.gather(*(_reach(client, live[name]) for name in sorted(live)))
        finally:
            await client.aclose()
        return [one for one in found if one is not None]

    return asyncio.run(reach_all())


async def _reach(client: Client, one: LiveProvider) -> Finding | None:
    try:
        await client.reach(one.origin, one.provider.proxy, _REACH_SECONDS)
    except TransportError as error:
        what, place = f"provider {one.provider.id}", one.origin
        if error.stage != "tls":
            return what, False, f"{place} cannot be reached: {error.reason}"
        hint = "base_url must use the name in its certificate, and a CA of your own is named with ca_file"
        return what, False, f"{place} is not trusted: {error.reason}; {hint}"
    return None


def _data(path: Path) -> list[Finding]:
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent  # the server makes what is missing
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return [("data directory", False, f"{path} cannot be written: choose another with --data")]
    free = shutil.disk_usage(place).free
    enough = free >= _LEAST_FREE
    text = f"{path}, {free // 2**20} MiB free"
    found: list[Finding] = [("data directory", enough, text if enough else text + ": make room, the ledger must write")]
    for secret in ("pepper", "encryption.key"):
        file = path / secret
        if file.exists() and file.stat().st_mode & 0o077:
            found.append((secret, False, f"{file} can be read by others: chmod 600 {file}"))
    return found
