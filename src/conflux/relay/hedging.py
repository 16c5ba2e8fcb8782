"""A request of a pool that hedges: where its first answer is late, another target is asked too.

Law: whoever says the first content answers, the other is let go. The client pays for the one answer it gets; what the
other one reported is the house's, and both are on the receipt. No leg is left running when this is over.
"""

import asyncio
from typing import Any

from conflux.dialects.base import Wanted
from conflux.neutral.errors import GatewayError
from conflux.relay.account import account
from conflux.relay.attempt import Attempt, Failed
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot
from conflux.relay.tries import Tries
from conflux.routing.health import bucket_of
from conflux.routing.hedge import Hedge


def hedge_of(parts: Parts, snapshot: Snapshot, tries: Tries) -> Hedge | None:
    """Of the pool that is asked now, where its owner wants it and there is another target."""
    admitted = tries.admitted
    if len(admitted.targets) < 2 or admitted.fallback is not None:
        return None
    pool = snapshot.catalogue.pools.get(admitted.model.pool)
    return parts.health.hedge(pool.id) if pool is not None and pool.hedge else None


class Race:
    """At most two legs of one request."""

    def __init__(self, parts: Parts, tries: Tries, hedge: Hedge, wanted: Wanted, request_id: bytes) -> None:
        self._parts = parts
        self._tries = tries
        self._hedge = hedge
        self._wanted = wanted
        self._request_id = request_id
        self._wake = asyncio.Event()
        self._legs: dict[asyncio.Task[None], Attempt] = {}
        self._bucket = bucket_of(tries.admitted.envelope.size, tries.admitted.envelope.stream)
        self.last: Attempt  # that failed, where all did
        self._first: Attempt | None = None  # whoever waits for us tells of it where we are cancelled

    async def run(self, first: Attempt) -> Attempt:
        """The leg that answers. Raises Failed, of `last`, where none does."""
        self._hedge.asked()
        self._first = first
        self._enter(first)
        late = self._hedge.late(self._bucket)
        timer = self._parts.later(late, self._wake.set) if late is not None else None
        winner: Attempt | None = None
        try:
            while winner is None:
                await self._wake.wait()
                self._wake.clear()
                winner = self._ended()
                if winner is None and late is not None and first.seconds() >= late:
                    late = None
                    self._second(first)
            self._first = None
            self._hedge.waited(self._bucket, first.seconds())
            return winner
        except GatewayError:
            self._first = None
            raise
        finally:
            if timer is not None:
                timer.cancel()
            await self._let_go(winner)

    def _enter(self, attempt: Attempt) -> None:
        task = asyncio.create_task(attempt.prime(self._request_id))
        task.add_done_callback(self._woken)
        self._legs[task] = attempt

    def _woken(self, _: Any) -> None:
        self._wake.set()

    def _second(self, first: Attempt) -> None:
        target = self._tries.another(first.target)
        if target is None or not self._hedge.take():
            return
        try:
            self._enter(Attempt(self._parts, target, self._tries.admitted, self._wanted))
        except GatewayError:
            return  # its protocol has no words for this request

    def _ended(self) -> Attempt | None:
        """The winner among those that are over; of two the cheaper one. Raises what the last of all failed with."""
        good: list[Attempt] = []
        for task in [one for one in self._legs if one.done()]:
            attempt = self._legs[task]
            try:
                task.result()
            except Failed as failed:
                del self._legs[task]
                attempt.close()
                if not self._legs and not good:
                    self.last = attempt
                    raise
                self._tries.failed(attempt.target, attempt.leg, failed, attempt.seconds())
            else:
                good.append(attempt)
        return min(good, key=self._charge, default=None)

    def _charge(self, attempt: Attempt) -> int:
        """What an answer that is there as a whole costs; of streams nobody knows yet."""
        if len(self._legs) < 2 or self._tries.admitted.envelope.stream:
            return 0
        return account(attempt.lane.tally, self._tries.admitted, cut=False).charge

    async def _let_go(self, winner: Attempt | None) -> None:
        """Every other leg is closed when this returns; whoever cancels us meanwhile is heard afterwards."""
        for task in self._legs:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while pending := [task for task in self._legs if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                cancelled = error
        for attempt in self._legs.values():
            if attempt is not winner and attempt is not self._first:
                self._tries.let_go(attempt, outrun=winner is not None)
            if attempt is not winner:
                attempt.close()
        if cancelled is not None:
            raise cancelled
