"""How a SQLite file is opened.

Law: one connection writes and checkpoints, all others can only read. SQLite 3.7.0 to 3.51.2 may lose commits when
several connections write or checkpoint at once (its WAL-reset bug); with one there is nobody to race with.
"""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from conflux.neutral.errors import ConfigError, StoreError
from conflux.private_file import sync_folder

OLDEST = (3, 37, 0)  # strict tables
_MODE = 0o600

_CACHE_KIB = 16_384
_STATEMENTS = 256
_WAL_LEFT = 64 * 1024 * 1024


def check_version(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> None:
    if version < OLDEST:
        found, wanted = (".".join(map(str, one)) for one in (version, OLDEST))
        raise ConfigError([f"this Python comes with SQLite {found}: {wanted} or later is needed"])


_MAGIC = b"SQLite format 3\0"
_HEADER = 100


def unreadable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"the database {path} cannot be read ({why}): restore it from your backup, or move it away to begin anew"
        " without what it held"
    )


def check_whole(path: Path) -> None:
    """Raises StoreError for a file that lost its content. SQLite takes an empty one for new, and believes of one cut
    short what is left of it."""
    if not path.exists():
        return
    with path.open("rb") as file:
        head = file.read(_HEADER)
    if not head:
        raise unreadable(path, "it is empty")
    if len(head) == _HEADER and not head.startswith(_MAGIC):
        raise unreadable(path, "it is no SQLite database")
    if len(head) == _HEADER and path.stat().st_size >= _size_said(head):
        return
    # A process that died while it moved pages from the log into the file leaves it short too, and the log complete.
    log = path.with_name(f"{path.name}-wal")
    if len(head) == _HEADER and log.exists() and log.stat().st_size and _sound(path):
        return
    raise unreadable(path, "it is cut short")


def _size_said(head: bytes) -> int:
    """The file's size by its own header; 0 where it does not say."""
    number = [int.from_bytes(head[at : at + size]) for at, size in ((16, 2), (24, 4), (28, 4), (92, 4))]
    page, changes, pages, counted_at = number
    return pages * (65536 if page == 1 else page) if changes == counted_at else 0


def _sound(path: Path) -> bool:
    connection = connect_reader(path)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _make(path: Path) -> None:
    """An empty database, whole from its first moment: an empty file is one that lost its content."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _MODE))
    connection = sqlite3.connect(draft)
    connection.execute("PRAGMA journal_mode = WAL").close()
    connection.close()
    os.replace(draft, path)
    sync_folder(path.parent)


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Files made here are for their owner only."""
    check_version()
    if not path.exists():
        _make(path)
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
