"""What the admin API works with, in one object: the operations, the stores, what runs now.

Law: everything that changes something for others goes through `do`, the operations of the command line, which write the
audit log; what is read may come from the stores themselves.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from conflux.accounts.passwords import Verifier
from conflux.accounts.sealing import Sealer
from conflux.faces.audited import Audited
from conflux.neutral.records import Caller
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot
from conflux.stores.opening import Store


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    operations: Audited
    store: Store
    parts: Parts
    verifier: Verifier
    report: Callable[[Exception, str], None]
    sealer: Sealer
    conversations: Callable[[], bool]  # may users keep theirs?
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
