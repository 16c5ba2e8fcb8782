"""A store, opened: the one place where the wiring meets the rooms of this floor.

Law: the lock first, then the file, then what stands on it; closed in the reverse order, and never half open.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import NamedTuple

from conflux.neutral.errors import ConfigError
from conflux.neutral.plans import Plan, PlanStanding
from conflux.neutral.records import Caller
from conflux.neutral.reports import Asked, Exported, Span
from conflux.stores.audit import Audit
from conflux.stores.budgets import FOREVER
from conflux.stores.catalogue import CatalogueRows
from conflux.stores.credentials import Credentials
from conflux.stores.credits import Credits
from conflux.stores.data_dir import DATABASE, DataDir, open_data_dir
from conflux.stores.exporting import asked_of, count, receipts
from conflux.stores.feedback import FeedbackRows
from conflux.stores.key_ring import KeyRing
from conflux.stores.keys import Keys, caller_by_id, find_caller
from conflux.stores.ledger import BookLedger, Recovered
from conflux.stores.owner_budgets import OwnerBudgets
from conflux.stores.people import People
from conflux.stores.policies import Policies
from conflux.stores.probes import ProbeRows
from conflux.stores.purses import Balance
from conflux.stores.receipts import Receipts
from conflux.stores.refunds import Refunded, refund
from conflux.stores.retention import Keeps, Retention
from conflux.stores.sessions import Sessions, session_caller
from conflux.stores.sql import Run
from conflux.stores.sqlite_file import connect_reader
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.sqlite_verify import verify
from conflux.stores.subscriptions import Subscriptions
from conflux.stores.usage import Usage
from conflux.stores.verify import Report


class Spent(NamedTuple):
    """A budget as its key may see it, in nano-USD."""

    scope: str
    window: str
    spent: int
    held: int
    cap: int | None
    resets: int | None = None  # unix milliseconds


class Store:
    def __init__(self, data: DataDir, ledger: BookLedger, now: Callable[[], float]) -> None:
        self._data = data
        self.ledger = ledger
        self._now = now
        self.keys = KeyRing(data.pepper, self._find)
        self.key_admin = Keys(ledger, data.pepper, self.keys.changed, now)
        self.budgets = OwnerBudgets(ledger, self.keys.changed, now)
        self.credits = Credits(ledger, now)
        self.subscriptions = Subscriptions(ledger, self.keys.changed, now)
        self.people = People(ledger, self.keys.changed, now)
        self.policies = Policies(ledger, self.keys.changed, now)
        self.catalogue = CatalogueRows(ledger, now)
        self.usage = Usage(ledger)
        self.probes = ProbeRows(ledger)
        self.credentials = Credentials(ledger, now)
        self.feedback = FeedbackRows(ledger, now)
        self.receipts = Receipts(ledger)
        self.sessions = Sessions(ledger, data.pepper, self.keys.changed, now)
        self.audit = Audit(ledger, now)
        self.heard: Callable[[], None] = lambda: None  # what else to do when another process has changed something

    def retention(self, receipt_days: int, comment_days: int) -> Retention:
        return Retention(self.ledger, Keeps(receipt_days=receipt_days, comment_days=comment_days), self._now)

    @property
    def trouble(self) -> str | None:
        return self.ledger.trouble

    async def recover(self) -> Recovered:
        return await self.ledger.recover()

    async def spending(self, caller: Caller) -> list[Spent]:
        found = await self.ledger.standing(caller.scopes)
        return [
            Spent(one.scope.kind, one.scope.window, one.posted, one.held, one.scope.cap,
                  None if one.resets == FOREVER else one.resets)
            for one in found
        ]  # fmt: skip

    async def dues(self, caller: Caller, plan: Plan | None) -> tuple[Balance, list[PlanStanding]]:
        """What pays for the caller besides money."""
        balance = await self.credits.balance_of(caller.workspace_id)
        if plan is None or caller.subscription is None:
            return balance, []
        return balance, await self.subscriptions.standing(caller.subscription.id, plan)

    async def set_budget(self, kind: str, owner: int | str, window: str, cap: int | None) -> None:
        """As the ledger's; callers in memory are read again."""
        await self.ledger.set_budget(kind, owner, window, cap)
        self.keys.changed()

    async def refund(self, number: int, amount: int | None) -> Refunded:
        return await self.ledger.write(lambda run: refund(run, number, amount))

    async def rebuild(self) -> int:
        return await self.ledger.rebuild()

    async def verify(self) -> dict[str, int]:
        return (await self.ledger.verify()).counts()

    async def aclose(self) -> None:
        try:
            await self.ledger.aclose()
        finally:
            self._data.close()

    async def caller(self, key_id: str) -> Caller | None:
        """Whom a key makes its holder, without its secret."""
        return await self.ledger.read(lambda run: caller_by_id(run, key_id))

    async def _find(self, name: bytes) -> Caller | None:
        return await self.ledger.read(lambda run: find_caller(run, name) or session_caller(run, name))


def open_store(path: Path, now: Callable[[], float] = time) -> Store:
    """On the loop that will use it. Raises InUse where another process has it, ConfigError where it cannot be made."""
    data = open_data_dir(path)
    try:
        return Store(data, SqliteLedger.open(data.database, now), now)
    except BaseException:
        data.close()
        raise


async def open_shared(path: Path, url: str, now: Callable[[], float] = time, data: DataDir | None = None) -> Store:
    """On a PostgreSQL database that others may have open too. `data`: the directory, where its lock is held already.
    Raises as open_store, and StoreError for a server that cannot be reached."""
    from conflux.stores.postgres_ledger import PostgresLedger
    from conflux.stores.shared_pepper import check_pepper

    data = data or open_data_dir(path)
    try:
        ledger = await PostgresLedger.open(url, now)
        store = Store(data, ledger, now)
        try:
            await check_pepper(ledger, data.pepper, path)
        except BaseException:
            await ledger.aclose()
            raise
    except BaseException:
        data.close()
        raise

    def changed() -> None:
        store.keys.changed()
        store.heard()

    ledger.heard = changed
    return store


def has_store(path: Path) -> bool:
    return (path / DATABASE).exists()


class Books:
    """The books of a data directory, or of a PostgreSQL database, read beside whoever writes them."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self._run: Run
        if url is not None:
            from conflux.stores.postgres_reads import BlockingRun

            run = BlockingRun(url)
            self._run, self.close = run, run.close
            return
        if not has_store(path):
            raise ConfigError([f"there is no gateway's data in {path}: name another with --data"])
        file = connect_reader(path / DATABASE)
        self._run, self.close = file, file.close

    def count(self, span: Span) -> int:
        return count(self._run, span)

    def receipts(self, span: Span) -> Iterator[Exported]:
        return receipts(self._run, span)

    def asked(self, provider: str, span: Span) -> Iterator[Asked]:
        return asked_of(self._run, provider, span)


def verify_file(path: Path) -> dict[str, int]:
    """Every invariant of a data directory's ledger, also beside a running server."""
    return verify(path / DATABASE).counts()


async def reach(url: str) -> str:
    """What server answers there. Raises StoreError or ConfigError where none does, or none that will do."""
    from conflux.stores.postgres_ledger import reach as reached

    return await reached(url)


async def verify_url(url: str) -> Report:
    """Every invariant of a PostgreSQL database's ledger, also beside running servers."""
    from conflux.stores.postgres_reads import PostgresReaders
    from conflux.stores.postgres_verify import examine

    readers = PostgresReaders(url)
    try:
        return await readers.run(examine, snapshot=True)
    finally:
        readers.close()
