"""What the admin API works with, in one object: the operations, the stores, what runs now.

Law: everything that changes something for others goes through `do`, the operations of the command line, which write the
audit log; what is read may come from the stores themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from conflux.accounts.passwords import Verifier
from conflux.accounts.sealing import Sealer
from conflux.faces.audited import Audited
from conflux.faces.jobs import Jobs, Tell
from conflux.neutral.records import Caller
from conflux.neutral.reports import Recent
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot
from conflux.stores.opening import Books, Store

_DAY = 86_400
_FRESH = 60.0


class Lately:
    """How the models did in the last day: asked of the store at most once a minute, however many ask."""

    def __init__(self, recent: Callable[[int], Awaitable[list[Recent]]]) -> None:
        self._recent = recent
        self._asking = asyncio.Lock()
        self._found: dict[tuple[str, str], Recent] = {}
        self._until = 0.0

    async def at(self, now: float) -> dict[tuple[str, str], Recent]:
        async with self._asking:
            if now >= self._until:
                rows = await self._recent(int((now - _DAY) * 1000))
                self._found = {(one.storefront, one.model): one for one in rows}
                self._until = now + _FRESH
        return self._found


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    operations: Audited
    store: Store
    parts: Parts
    verifier: Verifier
    report: Callable[[Exception, str], None]
    sealer: Sealer
    lately: Lately
    conversations: Callable[[], bool]  # may users keep theirs?
    jobs: Jobs
    books: Callable[[], Books]  # read beside whoever writes them
    backups: Path  # where they are put
    backup: Callable[[Path, Tell], None]
    config: Callable[[], dict[str, Any]]  # as `conflux config show` has it
    session_seconds: int = 7 * 86_400

    def now(self) -> float:
        return self.parts.clock.time()

    def snapshot(self) -> Snapshot:
        return self.parts.snapshot()

    async def find(self, secret: str) -> Caller | None:
        found = self.parts.keys.known(secret)
        if found is False:
            return await self.parts.keys.find(secret)
        return found if isinstance(found, Caller) else None

    async def do(self, by: str, operation: str, params: dict[str, Any], workspace: str | None = None) -> Any:
        return await self.operations.run(operation, params, by=by, workspace=workspace)
