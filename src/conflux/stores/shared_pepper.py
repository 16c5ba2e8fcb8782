"""The pepper of a database that several data directories share.

Law: every node finds keys by the same pepper, or half of them are void on it. The database keeps what must come out
where the right one goes in, never the pepper itself.
"""

import hmac
from pathlib import Path

from conflux.neutral.errors import ConfigError
from conflux.stores.data_dir import PEPPER
from conflux.stores.sql import Database, Run

_WHAT = b"conflux pepper"


async def check_pepper(database: Database, pepper: bytes, path: Path) -> None:
    """Raises ConfigError where the database is used with another pepper."""
    mark = hmac.digest(pepper, _WHAT, "sha256").hex()

    def first(run: Run) -> str:
        run.execute("UPDATE common SET pepper = coalesce(pepper, ?)", (mark,))
        return stored(run) or mark

    def stored(run: Run) -> str | None:
        found = run.execute("SELECT pepper FROM common").fetchone()[0]
        return str(found) if found is not None else None

    known = await database.read(stored) or await database.write(first)
    if known != mark:
        raise ConfigError(
            [f"{path / PEPPER} is not the pepper of this database, so no key of it would be valid here: copy the file "
             f"{PEPPER} from the data directory of a gateway that uses it"]
        )  # fmt: skip
