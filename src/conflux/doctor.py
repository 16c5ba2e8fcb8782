"""`conflux doctor`: is everything here that a gateway needs, and what is wrong where it is not.

Law: looks, changes nothing, and says for each finding what to do. Read from top to bottom, each step needs the one
before.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from conflux.dialects import DIALECTS
from conflux.faces.control import server_runs
from conflux.neutral.errors import ConfigError
from conflux.relay.live import find_live
from conflux.settings import Config
from conflux.wiring import make_snapshot, secret_reader

Finding = tuple[str, bool, str]

_LEAST_FREE = 512 * 1024 * 1024


def examine(read: Callable[[], Config]) -> list[Finding]:
    found: list[Finding] = [
        ("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]}, 3.11 or later is needed"),
        ("sqlite", sqlite3.sqlite_version_info >= (3, 37), f"{sqlite3.sqlite_version}, 3.37 or later is needed"),
    ]
    try:
        config = read()
    except ConfigError as error:
        return [*found, *(("configuration", False, line) for line in error.problems)]
    found.append(("configuration", True, str(config.file) if config.file is not None else "no file, defaults"))
    found += _data(config.data_dir)
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
    running = server_runs(config.data_dir)
    found.append(("server", True, "running" if running else "not running; `conflux serve` starts it"))
    return found


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
