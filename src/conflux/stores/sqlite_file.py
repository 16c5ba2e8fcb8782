"""How a SQLite file is opened.

Law: one connection writes and checkpoints, all others can only read. SQLite 3.7.0 to 3.51.2 may lose commits when
several connections write or checkpoint at once (its WAL-reset bug); with one there is nobody to race with.
"""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from conflux.neutral.errors import ConfigError, StoreError

OLDEST = (3, 37, 0)  # strict tables
_MODE = 0o600

_CACHE_KIB = 16_384
_STATEMENTS = 256
_WAL_LEFT = 64 * 1024 * 1024


def check_version(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> None:
    if version < OLDEST:
        found, wanted = (".".join(map(str, one)) for one in (version, OLDEST))
        raise ConfigError([f"this Python comes with SQLite {found}: {wanted} or later is needed"])


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Files made here are for their owner only."""
    check_version()
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _MODE))
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        connection.close()
        raise StoreError(f"the file system under {path} cannot keep a write-ahead log: choose another data directory")
    for pragma in (
        "synchronous = FULL",
        "wal_autocheckpoint = 0",  # the writer's thread says when
        f"journal_size_limit = {_WAL_LEFT}",
        f"cache_size = -{_CACHE_KIB}",
        "cache_spill = OFF",  # a statement never waits for the disk, only COMMIT does
        "temp_store = MEMORY",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Reads only: opened so, it can neither write nor checkpoint, not even when it is the last to close."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        timeout=5,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON").close()
    return connection
