"""The ledger as the relay meets it, on either database.

Law: implements neutral.ports.Ledger. Deciding is book.py's, writing is a writer's; here they are put together. Opening,
closing and reading are the database's own.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from conflux.neutral.ledger import Checkpoint, Receipt, Reservation, Settlement
from conflux.neutral.records import Scope
from conflux.stores.book import Book
from conflux.stores.booking import Hold, crashed, dropped
from conflux.stores.budget_rows import Standing, put_budget, standing
from conflux.stores.projections import rebuild
from conflux.stores.queue import StepQueue
from conflux.stores.rows import ATTEMPTS, RECEIPT, receipt_of
from conflux.stores.sql import Run
from conflux.stores.verify import Report

T = TypeVar("T")


class Recovered(msgspec.Struct, frozen=True):
    """What a dead process had left open."""

    requests: int  # holds that were ended
    started: int  # of those, the ones that are paid for
    charged: int  # nano-USD


class BookLedger(ABC):
    def __init__(self, book: Book, writer: StepQueue, now: Callable[[], float]) -> None:
        self._now = now
        self._book = book
        self._writer = writer

    @property
    def healthy(self) -> bool:
        return self._writer.trouble is None

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written now."""
        return self._writer.trouble

    def tell_alarms(self, tell: Callable[[str], None]) -> None:
        """Who hears that nothing can be written, and that it can again."""
        self._writer.alarm = tell

    @property
    def open_requests(self) -> int:
        return len(self._book.holds)

    @property
    def batches(self) -> int:
        """Transactions committed since the start; with the requests, how well commits are shared."""
        return self._writer.batches

    # -- ports.Ledger

    async def reserve(self, order: Reservation) -> None:
        asked = self._writer.put(self._book.reserve, order)
        try:
            await asked
        except asyncio.CancelledError:
            # Where the cancellation came with the answer, the queue took its caller for told.
            if asked.done() and not asked.cancelled() and asked.exception() is None:
                self._writer.put_quietly(self._book.settle, dropped(order.request_id))
            raise

    async def start(self, request_id: int) -> None:
        await self._writer.put(self._book.start, request_id)

    def checkpoint(self, mark: Checkpoint, told: Callable[[bool], None] | None = None, *, hurry: bool = False) -> None:
        if told is None:
            self._writer.put_quietly(self._book.checkpoint, mark)
            return
        written = self._writer.put(self._book.checkpoint, mark, hurry=hurry)
        written.add_done_callback(lambda one: told(one.exception() is None and one.result()))

    async def settle(self, end: Settlement) -> int:
        cost: int = await self._writer.put(self._book.settle, end)
        return cost

    async def receipt(self, request_id: int) -> Receipt | None:
        def find(run: Run) -> Receipt | None:
            row = run.execute(RECEIPT, (request_id,)).fetchone()
            return receipt_of(row, run.execute(ATTEMPTS, (request_id,)).fetchall()) if row else None

        return await self.read(find)

    # -- its life

    @abstractmethod
    async def recover(self) -> Recovered:
        """End what dead processes left open, as far as it is known that they are dead."""

    async def _end(self, holds: list[Hold]) -> Recovered:
        charged = [await one for one in [self._writer.put(self._book.settle, crashed(hold)) for hold in holds]]
        return Recovered(len(holds), sum(hold.started for hold in holds), sum(charged))

    @abstractmethod
    async def aclose(self) -> None:
        """What was queued is written first."""

    @abstractmethod
    async def verify(self) -> Report: ...

    # -- budgets, and what else wants a transaction or a look

    async def write(self, job: Callable[[Any], T]) -> T:
        return await self._writer.run(job)

    @abstractmethod
    async def read(self, query: Callable[[Any], T]) -> T:
        """Beside the writer: sees what was committed."""

    async def set_budget(self, kind: str, owner: int | str, window: str, cap: int | None) -> Scope:
        """Give a scope a budget, or change its cap (None: count only). A storefront is named, the others numbered.
        A new budget counts what its window has seen already."""
        return await self.write(lambda run: put_budget(run, kind, owner, window, cap, int(self._now() * 1000)))

    async def standing(self, scopes: tuple[Scope, ...]) -> list[Standing]:
        """Where each scope's budget stands in the window of now."""
        return await self.read(lambda run: standing(run, scopes, int(self._now() * 1000)))

    async def rebuild(self) -> int:
        """Make every projection anew from entries and holds; how many rows were wrong."""
        return await self.write(rebuild)
