"""Every invariant of a SQLite file's books; see verify.py.

Law: the file itself first: what damaged pages say of money means nothing. Then one snapshot of its rows.
"""

import sqlite3
from pathlib import Path

from conflux.neutral.errors import StoreError
from conflux.stores import verify as books
from conflux.stores.migrate import HEAD, revision_of
from conflux.stores.sqlite_file import check_whole, connect_reader, unreadable
from conflux.stores.verify import Details, Report, nothing_but

_DETAILS = Details(
    amount="(SELECT coalesce(sum(json_extract(value, '$[3]')), 0) FROM json_each(detail, '$[0]'))",
    calls="json_array_length(detail, '$[1]')",
)


def verify(path: Path) -> Report:
    """Raises StoreError where the file cannot be read or is of another version."""
    if not path.exists():
        raise StoreError(f"there is no database at {path}")
    connection = None
    try:
        connection = connect_reader(path)
        check_whole(path)
        if revision_of(connection) != HEAD:
            raise StoreError(f"{path} has another schema than this version of Conflux: start `conflux serve` once")
        connection.execute("BEGIN").close()  # one snapshot, as a reader has it
        return examine(connection)
    except sqlite3.Error as error:
        raise unreadable(path, str(error)) from error
    finally:
        if connection is not None:
            connection.close()


def examine(run: sqlite3.Connection) -> Report:
    damaged = sum(row[0] != "ok" for row in run.execute("PRAGMA quick_check(100)"))
    if damaged:
        return nothing_but(damaged=damaged)
    dangling = len(run.execute("PRAGMA foreign_key_check").fetchall())
    return books.examine(run, _DETAILS, dangling)
