"""Long pure work beside the turns of others.

Law: nothing is done here that anybody else could see half done: bytes in, a record out. One such work at a time,
however many wait: there is one interpreter, and each more would leave the loop a smaller part of it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Found = TypeVar("_Found")

# Reading a request and writing it in another protocol takes some 20 µs an object: below this, as long as a turn may be.
_BYTES = 65_536
_OBJECTS = 1_000


def is_long(body: bytes) -> bool:
    return len(body) > _BYTES and body.count(b"{") > _OBJECTS


class Aside:
    """One per process."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside")  # begun at the first need

    async def do(self, work: Callable[[], _Found]) -> _Found:
        """Where the caller is cancelled, what has not begun is not done."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
