"""Responses that clients may come back to, as rows.

Law: a row belongs to one key and is nobody else's; it is gone when its time is over, whether or not anybody has swept
it away yet. A key's oldest give way to its newest. Each row holds its whole conversation, so deleting one breaks no
other.
"""

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from conflux.neutral.ports import StoredResponse
from conflux.stores.sql import Database, Run

DAY = 86_400
_FOUND = "SELECT input, answer FROM stored_response WHERE key_id = ? AND id = ? AND expires > ?"
_PUT = "INSERT INTO stored_response (key_id, id, created, expires, input, answer) VALUES (?, ?, ?, ?, ?, ?)"
_PUT_ITEM = "INSERT INTO stored_item (key_id, id, response_id) VALUES (?, ?, ?) ON CONFLICT (key_id, id) DO NOTHING"
_OLDEST = "SELECT id FROM stored_response WHERE key_id = ? ORDER BY created DESC, id DESC LIMIT 100 OFFSET ?"
_SWEPT = 100  # at once, so that nobody waits for a long sweep

_items = msgspec.json.Decoder(list[dict[str, Any]]).decode
_answer = msgspec.json.Decoder(dict[str, Any]).decode


class ResponseRows:
    """Implements ports.ResponseStore."""

    def __init__(self, ledger: Database, *, days: int, most_bytes: int, most_per_key: int,
                 now: Callable[[], float] = time) -> None:  # fmt: skip
        self._ledger = ledger
        self._seconds = days * DAY
        self._most_per_key = most_per_key
        self._now = now
        self.most_bytes = most_bytes

    async def get(self, key_id: int, name: str) -> StoredResponse | None:
        return await self._ledger.read(lambda run: self._get(run, key_id, name))

    async def item(self, key_id: int, name: str) -> dict[str, Any] | None:
        def query(run: Run) -> dict[str, Any] | None:
            where = (key_id, name)
            row = run.execute("SELECT response_id FROM stored_item WHERE key_id = ? AND id = ?", where).fetchone()
            found = self._get(run, key_id, row[0]) if row is not None else None
            items = [] if found is None else [*found.input, *found.answer["output"]]
            return next((one for one in items if one.get("id") == name), None)

        return await self._ledger.read(query)

    async def put(self, key_id: int, response: StoredResponse) -> None:
        name, now = str(response.answer["id"]), int(self._now())
        texts = [msgspec.json.encode(one).decode() for one in (response.input, response.answer)]
        ids = [one["id"] for one in (*response.input, *response.answer["output"]) if isinstance(one.get("id"), str)]

        def job(run: Run) -> None:
            run.execute(_PUT, (key_id, name, now, now + self._seconds, *texts))
            for one in ids:
                run.execute(_PUT_ITEM, (key_id, one, name))
            query = "SELECT key_id, id FROM stored_response WHERE expires <= ? ORDER BY expires LIMIT ?"
            old = run.execute(query, (now, _SWEPT)).fetchall()
            old += [(key_id, row[0]) for row in run.execute(_OLDEST, (key_id, self._most_per_key)).fetchall()]
            for owner, one in old:
                delete_response(run, owner, one)

        await self._ledger.write(job)

    async def delete(self, key_id: int, name: str) -> bool:
        def job(run: Run) -> bool:
            known = self._get(run, key_id, name) is not None
            delete_response(run, key_id, name)
            return known

        return await self._ledger.write(job)

    def _get(self, run: Run, key_id: int, name: str) -> StoredResponse | None:
        row = run.execute(_FOUND, (key_id, name, int(self._now()))).fetchone()
        return StoredResponse(_items(row[0]), _answer(row[1])) if row is not None else None


def kept_responses(
    ledger: Database, *, keep_days: int, most_bytes: int, most_per_key: int, now: Callable[[], float] = time
) -> ResponseRows | None:
    """None where they are kept for no time at all."""
    if keep_days == 0:
        return None
    return ResponseRows(ledger, days=keep_days, most_bytes=most_bytes, most_per_key=most_per_key, now=now)


def delete_response(run: Run, key_id: int, name: str) -> None:
    run.execute("DELETE FROM stored_item WHERE key_id = ? AND response_id = ?", (key_id, name))
    run.execute("DELETE FROM stored_response WHERE key_id = ? AND id = ?", (key_id, name))
