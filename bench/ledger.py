"""What the ledger costs, and whether it costs more when it is full: `python -m bench.ledger`.

Law: CPU of this process, all its threads, as the smallest of several rounds: a neighbour only ever adds. The empty and
the full database are measured in turn, and a raw prototype with them (raw_ledger.py), since microseconds say as much of
the machine as of the code. All are real files with `synchronous=FULL`. The loop and the collector of garbage are set as
the server sets them.
"""

import argparse
import os
import random
import tempfile
import time
from pathlib import Path
from statistics import median

import uvloop
from rich.console import Console
from rich.progress import Progress

from bench import raw_ledger
from bench.raw_ledger import now_ms, per_request
from conflux.neutral.ledger import ID_CHANCES, Call, Ending, Line, Reservation, Settlement
from conflux.neutral.records import Scope
from conflux.neutral.reports import UsageAsked
from conflux.neutral.usage import Provenance, Usage
from conflux.stores.sqlite_book import SqliteBook
from conflux.stores.sqlite_file import connect_writer
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.sqlite_verify import verify
from conflux.stores.usage import Usage as Used

ROOT = Path(__file__).resolve().parent.parent
CALLERS, KEYS, MODELS, DAYS = 64, 200, 12, 91
_DAY_MS = 86_400_000
_BATCH, _CHECKPOINT = 2000, 50_000


class Maker:
    """Requests as a gateway makes them: a plain answer with three lines and one call."""

    def __init__(self, seed: int, scopes: tuple[Scope, ...] = ()) -> None:
        self._chance = random.Random(seed)
        self._scopes = scopes
        self._count = 0

    def order(self, moment: int, key: int) -> Reservation:
        self._count += 1
        return Reservation(
            request_id=(moment * ID_CHANCES + self._count % ID_CHANCES) & ((1 << 63) - 1), created=moment,
            caller_key=key, caller_user=1, caller_workspace=1, storefront="conflux",
            requested_model=f"conflux/model-{self._chance.randrange(MODELS)}", amount=500_000, scopes=self._scopes,
            input_floor=1000,
        )  # fmt: skip

    def end(self, order: Reservation) -> Settlement:
        count = self._chance.randrange(50, 2000)
        usage = Usage(input=900, cache_read=100, output=count)
        lines = (Line("input", 900, 435_000, 391_500), Line("cache_read", 100, 43_500, 4_350),
                 Line("output", count, 10, count))  # fmt: skip
        total = sum(one.amount for one in lines)
        call = Call(role="direct", model=order.requested_model, status="done", latency_ms=830, usage=usage, cost=total,
                    target="local/upstream-model/cloud", provider_cost=total // 2,
                    upstream_id=f"chatcmpl-{order.request_id:x}")  # fmt: skip
        return Settlement(request_id=order.request_id, ending=Ending.DONE, charge=total, provider_cost=total // 2,
                          served_model=order.requested_model, usage=usage, provenance=Provenance.PROVIDER,
                          price_version="2026-11", lines=lines, calls=(call,), latency_ms=830,
                          first_byte_ms=412)  # fmt: skip


def fill(path: Path, count: int) -> None:
    """Through the book itself, without waiting for the disk."""
    connection = connect_writer(path)
    connection.execute("PRAGMA synchronous = OFF").close()
    book = SqliteBook(time.time)
    book.read(connection)
    maker = Maker(1)
    first, step = now_ms() - DAYS * _DAY_MS, DAYS * _DAY_MS // count
    with Progress(console=Console(stderr=True)) as shown:
        for at in shown.track(range(0, count, _BATCH), description=f"making {count:,} receipts"):
            _fill_batch(book, maker, first, step, range(at, min(at + _BATCH, count)))
            book.sum_up(connection)
            connection.execute("COMMIT")
            if at % _CHECKPOINT == 0:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def _fill_batch(book: SqliteBook, maker: Maker, first: int, step: int, numbers: range) -> None:
    for number in numbers:
        order = maker.order(first + number * step, 1 + number % KEYS)
        book.reserve(order)
        book.settle(maker.end(order))
    book.write()


async def load(ledger: SqliteLedger, maker: Maker, count: int, callers: int) -> float:
    """Microseconds of CPU per request: a reservation and a settlement, each committed."""
    left = iter(range(count))

    async def caller() -> None:
        for number in left:
            order = maker.order(now_ms(), 1 + number % KEYS)
            await ledger.reserve(order)
            await ledger.settle(maker.end(order))

    return await per_request(caller, count, callers)


def making(count: int) -> float:
    """What the bench itself costs, to be taken off."""
    maker = Maker(2)
    before = time.process_time()
    for number in range(count):
        maker.end(maker.order(now_ms(), 1 + number % KEYS))
    return (time.process_time() - before) * 1e6 / count


def fsync_ms(folder: Path, rounds: int = 200) -> float:
    """One write of a few pages and its fsync, as a commit makes them."""
    taken = []
    with open(folder / "fsync", "wb", buffering=0) as file:
        for _ in range(rounds):
            began = time.perf_counter()
            file.write(bytes(16_384))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


async def idle_ms(ledger: SqliteLedger, rounds: int = 200) -> float:
    """A reservation and a settlement with nobody beside them."""
    maker, taken = Maker(3), []
    for _ in range(rounds):
        order = maker.order(now_ms(), 1)
        end = maker.end(order)
        began = time.perf_counter()
        await ledger.reserve(order)
        await ledger.settle(end)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


async def budgets(ledger: SqliteLedger) -> None:
    """As a key with a budget has them."""
    await ledger.set_budget("workspace", 1, "month", 10**15)
    await ledger.set_budget("storefront", "conflux", "day", None)


async def compare(folder: Path, full: Path, count: int, rounds: int) -> dict[str, float]:
    ledgers = {"empty": SqliteLedger.open(folder / "empty.db"), "full": SqliteLedger.open(full)}
    prototype = raw_ledger.RawLedger(folder / "raw.db")
    found: dict[str, float] = {}
    try:
        made = min(making(count) for _ in range(3))
        taken: dict[str, list[float]] = {name: [] for name in ledgers}
        bare: list[float] = []
        for ledger in ledgers.values():
            await budgets(ledger)
            await load(ledger, Maker(4), count, CALLERS)  # warm
        for place in range(rounds):
            bare.append(await raw_ledger.load(prototype, (1 + place) * count, count, CALLERS, KEYS))
            for name, ledger in ledgers.items():
                taken[name].append(await load(ledger, Maker(5 + place), count, CALLERS) - made)
        for name in ledgers:
            found[f"CPU per request at {CALLERS} callers, {name}, µs"] = min(taken[name])
        found["the same of a raw prototype, µs"] = min(bare)
        found["empty to the raw prototype, ratio"] = min(taken["empty"]) / min(bare)
        found["full to empty, ratio"] = min(taken["full"]) / min(taken["empty"])
        fsync = fsync_ms(folder)
        found["one fsync, ms"] = fsync
        for name, ledger in ledgers.items():
            found[f"reserve and settle, idle, {name}, ms"] = await idle_ms(ledger)
            found[f"the same in fsyncs, {name}"] = found[f"reserve and settle, idle, {name}, ms"] / fsync
        used = Used(ledgers["full"])
        today = now_ms() // _DAY_MS
        for days in (30, 91, 365):
            for key in (None, 1):
                asked = UsageAsked(first=today - days, last=today, by=("day", "model"), key=key)
                whose = "" if key is None else " of one key"
                found[f"usage by day and model{whose}, {days} days, CPU ms"] = await timed(used, asked)
    finally:
        await prototype.aclose()
        for ledger in ledgers.values():
            await ledger.aclose()
    return found


async def timed(used: Used, asked: UsageAsked) -> float:
    taken = []
    for _ in range(5):
        began = time.process_time()
        await used.sums(asked)
        taken.append((time.process_time() - began) * 1000)
    return min(taken)


def measure(receipts: int, count: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="conflux-bench-") as name:
        folder = Path(name)
        full = folder / "full.db"
        uvloop.run(made(full))
        uvloop.run(made(folder / "empty.db"))
        fill(full, receipts)
        found = uvloop.run(compare(folder, full, count, rounds))
        began, busy = time.perf_counter(), time.process_time()
        report = verify(full)
        found |= {"verify, s": time.perf_counter() - began, "verify, CPU s": time.process_time() - busy}
        assert report.ok, report
        return {f"receipts in the full database: {report.checked_requests}": 0.0, **found}


async def made(path: Path) -> None:
    await SqliteLedger.open(path).aclose()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--receipts", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=10_000, help="of a round")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    found = measure(asked.receipts, asked.requests, asked.rounds)
    rows = "\n".join(f"| {name} | {value:.2f} |" if value else f"| {name} | |" for name, value in found.items())
    command = f"python -m bench.ledger --receipts {asked.receipts} --requests {asked.requests} --rounds {asked.rounds}"
    text = (
        f"# The ledger's cost\n\n`{command}`, {time.strftime('%Y-%m-%d')}\n\n| what | found |\n| --- | --- |\n{rows}\n"
    )
    print(text)
    (ROOT / "bench" / "results" / "ledger.md").write_text(text)


if __name__ == "__main__":
    main()
