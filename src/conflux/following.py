"""Taking over what another process has changed.

Law: one at a time, the last word counts, and a failure is tried again: nothing that was heard is forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable

from conflux.neutral.errors import ConfigError, StoreError

_AGAIN = 1.0


class Follower:
    def __init__(self, catch_up: Callable[[], Awaitable[None]], log: Callable[[str], None]) -> None:
        self._catch_up = catch_up
        self._log = log
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def hear(self) -> None:
        """Something was changed elsewhere."""
        self._heard.set()

    def begin(self) -> None:
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            try:
                await self._catch_up()
            except (ConfigError, StoreError) as error:
                self._log(f"what another process changed cannot be taken over yet: {error}")
                await asyncio.sleep(_AGAIN)
                self._heard.set()

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
