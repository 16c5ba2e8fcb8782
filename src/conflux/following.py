"""Taking over what another process has changed.

Law: one at a time, the last word counts, and a failure is tried again: nothing that was heard is forgotten. What was
accepted for a later moment is taken over when that moment comes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from conflux.neutral.errors import ConfigError, StoreError

_AGAIN = 1.0
_LONGEST = 86_400.0  # between two looks at the clock: it may be set


async def _never() -> float | None:
    return None


class Follower:
    def __init__(
        self,
        catch_up: Callable[[], Awaitable[None]],
        log: Callable[[str], None],
        due: Callable[[], Awaitable[float | None]] = _never,
    ) -> None:
        """`due`: seconds until there is something to take over, if nothing is heard."""
        self._catch_up = catch_up
        self._due = due
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
            try:
                await self._something()
                self._heard.clear()
                await self._catch_up()
            except (ConfigError, StoreError) as error:
                self._log(f"what another process changed cannot be taken over yet: {error}")
                await asyncio.sleep(_AGAIN)
                self._heard.set()

    async def _something(self) -> None:
        due = await self._due()
        try:
            async with asyncio.timeout(min(due, _LONGEST) if due is not None else None):
                await self._heard.wait()
        except TimeoutError:
            pass

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
