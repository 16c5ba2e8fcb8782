"""Reading beside the writer: connections that cannot write, on threads of their own.

Law: a read sees what was committed, never what is being decided, and never holds up the writer.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from conflux.neutral.errors import StoreError
from conflux.stores.sqlite_file import connect_reader

T = TypeVar("T")

_THREADS = 2


class Readers:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._threads = ThreadPoolExecutor(_THREADS, "ledger-read")

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._query, query)

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            try:
                connection = self._free.get_nowait()
            except Empty:
                connection = connect_reader(self._path)
            connection.execute("BEGIN").close()  # one snapshot, however much is read
            try:
                found = query(connection)
            finally:
                connection.execute("COMMIT").close()
        except sqlite3.Error as error:
            # The connection is not used again: whatever is wrong with it goes with it.
            raise StoreError(f"the store cannot be read: {error}") from error
        self._free.put(connection)
        return found

    def close(self) -> None:
        self._threads.shutdown()
        while not self._free.empty():
            self._free.get_nowait().close()
