"""Providers' credentials that were entered here, as rows.

Law: what is stored is sealed for its own row, so a row that is copied to another opens for nobody. Nothing here gives a
secret to anybody but whoever holds the key file.
"""

from collections.abc import Callable
from time import time
from typing import Any

from conflux.neutral.accounts import CredentialRow
from conflux.neutral.errors import NoSuch
from conflux.stores.sql import Database, Run

CREDENTIAL_ID = "cred_"
_COLUMNS = "id, provider, label, sealed, last4, created, created_by"
_SHOWN = 4
_LONG_ENOUGH = 12  # of a shorter one four letters would say too much

Seal = Callable[[str, bytes], bytes]


def place_of(number: int) -> str:
    """What a credential is sealed for."""
    return f"credential:{number}"


class Credentials:
    def __init__(self, ledger: Database, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._now = now

    async def add(self, provider: str, label: str, secret: str, by: str, seal: Seal) -> CredentialRow:
        last4 = secret[-_SHOWN:] if len(secret) >= _LONG_ENOUGH else ""

        def job(run: Run) -> Any:
            put = (
                "INSERT INTO provider_credential (provider, label, sealed, last4, created, created_by)"
                " VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
            )
            number = run.execute(put, (provider, label, b"", last4, int(self._now()), by)).fetchone()[0]
            sealed = seal(place_of(number), secret.encode())
            run.execute("UPDATE provider_credential SET sealed = ? WHERE id = ?", (sealed, number))
            return run.execute(f"SELECT {_COLUMNS} FROM provider_credential WHERE id = ?", (number,)).fetchone()

        return _row(await self._ledger.write(job))

    async def rows(self) -> list[CredentialRow]:
        query = f"SELECT {_COLUMNS} FROM provider_credential ORDER BY id"
        return [_row(row) for row in await self._ledger.read(lambda run: run.execute(query).fetchall())]

    async def remove(self, name: str) -> None:
        digits = name.removeprefix(CREDENTIAL_ID)
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1
        query = "DELETE FROM provider_credential WHERE id = ?"
        if not await self._ledger.write(lambda run: run.execute(query, (number,)).rowcount):
            raise NoSuch([f"there is no credential {name[:80]!r}"])


def _row(row: Any) -> CredentialRow:
    number, provider, label, sealed, last4, created, by = row
    return CredentialRow(id=f"{CREDENTIAL_ID}{number}", number=number, provider=provider, label=label,
                         sealed=bytes(sealed), last4=last4, created=created, created_by=by)  # fmt: skip
