"""Reserve and settle with nothing of a product: what the ledger's own figure is to be read against.

Law: the shape of a ledger and no more: one writer, one transaction a batch, both steps committed with
`synchronous=FULL`, a budget held by condition, double entries. No sums of usage, windows, credits, idempotency,
recovery or receipts worth the name. The standard library's own ways, a list of rows a statement.
"""

import asyncio
import gc
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import SimpleQueue

_MOST = 256
_TABLES = (
    "CREATE TABLE hold (id INTEGER PRIMARY KEY, key_id INTEGER, amount INTEGER, lease INTEGER) STRICT",
    "CREATE TABLE request (id INTEGER PRIMARY KEY, key_id INTEGER, model TEXT, cost INTEGER, state TEXT,"
    " input INTEGER, output INTEGER) STRICT",
    "CREATE TABLE attempt (request_id INTEGER, n INTEGER, target TEXT, cost INTEGER, PRIMARY KEY (request_id, n))"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE entry (tx INTEGER, account INTEGER, party INTEGER, amount INTEGER, PRIMARY KEY (tx, account, party))"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE budget (id INTEGER PRIMARY KEY, posted INTEGER, held INTEGER, cap INTEGER) STRICT",
    "INSERT INTO budget VALUES (1, 0, 0, 1000000000000000)",
)
_HOLD = "UPDATE budget SET held = held + ? WHERE id = 1 AND posted + held + ? <= cap"
_POST = "UPDATE budget SET held = held - ?, posted = posted + ? WHERE id = 1"
_AMOUNT, _COST, _OWED = 500_000, 400_000, 190_000


class RawLedger:
    """Belongs to the loop it was made on."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 1000"):
            self._file.execute(f"PRAGMA {pragma}").fetchall()
        for statement in _TABLES:
            self._file.execute(statement)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[bool, int, int, asyncio.Future[None]]] = []
        self._busy = False
        self._work: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def put(self, ends: bool, number: int, key: int) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((ends, number, key, future))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)
        return future

    def _flush(self) -> None:
        self._batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        if not self._batch:
            self._busy = False
            return
        run = self._file
        run.execute("BEGIN IMMEDIATE")
        begun = [(number, key) for ends, number, key, _ in self._batch if not ends]
        ended = [(number, key) for ends, number, key, _ in self._batch if ends]
        if begun:
            held = _AMOUNT * len(begun)
            assert run.execute(_HOLD, (held, held)).rowcount == 1
            run.executemany("INSERT INTO hold VALUES (?, ?, ?, ?)", [(*one, _AMOUNT, now_ms()) for one in begun])
        if ended:
            self._end(run, ended)
        self._work.put(True)

    @staticmethod
    def _end(run: sqlite3.Connection, ended: list[tuple[int, int]]) -> None:
        run.execute(_POST, (_AMOUNT * len(ended), _COST * len(ended)))
        run.executemany("DELETE FROM hold WHERE id = ?", [(number,) for number, _ in ended])
        requests = [(number, key, "conflux/model", _COST, "done", 1000, 1000) for number, key in ended]
        run.executemany("INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?)", requests)
        attempts = [(number, 0, "local/upstream-model/cloud", _OWED) for number, _ in ended]
        run.executemany("INSERT INTO attempt VALUES (?, ?, ?, ?)", attempts)
        entries: list[tuple[int, int, int, int]] = []
        for number, key in ended:
            entries += ((number, 1, key, -_COST), (number, 2, 0, _COST), (number, 3, 0, -_OWED), (number, 4, 0, _OWED))
        run.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)

    def _told(self) -> None:
        for _, _, _, future in self._batch:
            future.set_result(None)
        self._loop.call_soon(self._flush)

    def _serve(self) -> None:
        while self._work.get():
            self._file.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._told)

    async def aclose(self) -> None:
        while self._busy:
            await asyncio.sleep(0)
        self._work.put(False)
        self._thread.join()
        self._file.close()


def now_ms() -> int:
    return int(time.time() * 1000)


async def load(ledger: RawLedger, first: int, count: int, callers: int, keys: int) -> float:
    """Microseconds of CPU per request. The requests' ids begin at `first`."""
    left = iter(range(first, first + count))

    async def caller() -> None:
        for number in left:
            await ledger.put(False, number, number % keys)
            await ledger.put(True, number, number % keys)

    return await per_request(caller, count, callers)


async def per_request(caller: Callable[[], Awaitable[None]], count: int, callers: int) -> float:
    """Microseconds of CPU, where so many callers make so many requests. The collector of garbage as the server's."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    before = time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return (time.process_time() - before) * 1e6 / count
