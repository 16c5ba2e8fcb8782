"""While the model says nothing, the connection does.

Law: only after a silence, only between whole events, and only in the protocol's own words, so that no client gives up
on an answer that is still being thought about. What is said here is not content: until some has gone out, another
target may still be tried.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from conflux.relay.parts import Handle, Parts


class KeepAlive:
    """For one streamed request: a timer that looks whether anything went out lately."""

    __slots__ = ("_parts", "_speak", "_speaking", "_timer", "spoke")

    def __init__(self, parts: Parts, speak: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._parts = parts
        self._speak = speak
        self._speaking: asyncio.Task[None] | None = None
        self.spoke = parts.clock.monotonic()  # when anything went out last
        self._timer: Handle | None = parts.later(parts.keep_alive, self._look)

    def _look(self) -> None:
        now = self._parts.clock.monotonic()
        wait = self._parts.keep_alive - (now - self.spoke)
        if wait <= 0:
            wait = self._parts.keep_alive
            self.spoke = now
            if self._speaking is None or self._speaking.done():
                self._speaking = asyncio.create_task(self._speak())
        self._timer = self._parts.later(wait, self._look)

    async def stop(self) -> None:
        """Nothing is said after this."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._speaking is not None:
            task, self._speaking = self._speaking, None
            task.cancel()  # a client that does not read must not hold back what follows
            await asyncio.wait((task,))
            if not task.cancelled():
                task.result()
