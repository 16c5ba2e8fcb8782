"""How far a stream may run ahead of what the ledger has written.

Law: what went out beyond the last mark that is committed is never more than a killed process may lose. A database that
keeps up is never waited for; one that does not holds the answer back, and one that fails is asked again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from conflux.billing.estimate import BYTES_PER_TOKEN
from conflux.dialects.base import Tally
from conflux.relay.parts import Parts

MOST_TOKENS = 256  # delivered, and lost where the process is killed
MOST_BYTES = MOST_TOKENS * BYTES_PER_TOKEN
EVERY_BYTES = MOST_BYTES // 2
EVERY_SECONDS = 1.0
RETRY_SECONDS = 0.25  # after a mark that could not be written

Told = Callable[[bool], None]


class Put(Protocol):
    def __call__(self, told: Told, *, hurry: bool) -> None:
        """Hand a mark of all that was seen to the ledger."""
        ...


class Marks:
    """Of one stream. All sizes are bytes of what the model wrote, as its tally counts them."""

    __slots__ = ("_committed", "_flying", "_parts", "_put", "_tally", "_waiter", "due", "next")

    def __init__(self, parts: Parts, tally: Tally, put: Put) -> None:
        self._parts = parts
        self._tally = tally
        self._put = put
        self._committed = 0
        self._flying: int | None = None  # what the mark under way says
        self._waiter: asyncio.Future[None] | None = None
        # When there is something to do: `reached` is not asked before.
        self.next = EVERY_BYTES
        self.due = parts.clock.monotonic() + EVERY_SECONDS

    def reached(self, now: float) -> bool:
        """Marks what was seen, where no mark is under way. May all of it go out?"""
        if self._ahead():
            return False
        if self._flying is None:
            self._mark(hurry=False)
        self._plan(now)
        return True

    async def caught_up(self, until: float) -> bool:
        """Waits until all that was seen may go out. False: not by then."""
        clock = self._parts.clock
        while (now := clock.monotonic()) < until:
            self._mark(hurry=True)
            if self._ahead() and self._flying is not None:
                await self._wait(until - now)
            if not self._ahead():
                self._plan(clock.monotonic())
                return True
            if self._flying is None:
                await self._wait(min(RETRY_SECONDS, until - now))
        return False

    def _ahead(self) -> bool:
        return self._tally.output_bytes - self._committed > MOST_BYTES

    def _plan(self, now: float) -> None:
        self.next = min(self._tally.output_bytes + EVERY_BYTES, self._committed + MOST_BYTES + 1)
        self.due = now + EVERY_SECONDS

    def _mark(self, *, hurry: bool) -> None:
        self._flying = seen = self._tally.output_bytes

        def told(committed: bool) -> None:
            if committed and seen > self._committed:
                self._committed = seen
            if self._flying == seen:
                self._flying = None
            self._wake()

        self._put(told, hurry=hurry)

    async def _wait(self, seconds: float) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        timer = self._parts.later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
