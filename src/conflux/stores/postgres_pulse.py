"""A process's sign of life, and its eye on the others.

Law: no clocks are compared. An owner is dead when it was seen to stand still for a whole lease, by somebody who could
ask all the while; after a gap everybody is watched anew, so that none is taken for dead because the database was away.
A change made elsewhere is heard at once, and found at the latest with the next beat, should the word be lost.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from conflux.stores.postgres_book import Sighting
from conflux.stores.postgres_run import FAILED, PostgresRun, connect
from conflux.stores.postgres_statements import CHANNEL

LEASE = 10.0
_BEATS = 5  # in a lease
_MOST_BETWEEN = 2.0  # seconds: a change is found well before five have passed

_BEAT = "UPDATE owner SET beat = beat + 1 WHERE epoch = ?"
_CHANGES = "SELECT changes FROM common"
_OTHERS = "SELECT epoch, beat, batch, gone FROM owner WHERE epoch <> ?"


class Watch:
    """Who has stood still for how long."""

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._seen: dict[int, tuple[Sighting, float]] = {}
        self._last: float | None = None

    def look(self, rows: Iterable[tuple[int, int, int, int]], now: float) -> list[Sighting]:
        """The dead. Those that have said that they leave need not be waited for."""
        if self._last is not None and now - self._last > self._lease / 2:
            self._seen.clear()
        self._last = now
        seen = {}
        dead = []
        for epoch, beat, batch, gone in rows:
            found = (epoch, beat, batch)
            before, since = self._seen.get(epoch, (None, now))
            if before != found:
                since = now
            seen[epoch] = (found, since)
            if gone or now - since >= self._lease:
                dead.append(found)
        self._seen = seen
        return dead

    def forget(self) -> None:
        self._seen.clear()


class Pulse:
    """`epoch` is ours at the moment; `changed` is called when something was changed elsewhere; `adopt` is given the
    dead."""

    def __init__(
        self,
        url: str,
        lease: float,
        epoch: Callable[[], int],
        changed: Callable[[], None],
        adopt: Callable[[list[Sighting]], Awaitable[None]],
    ) -> None:
        self._url = url
        self._between = min(lease / _BEATS, _MOST_BETWEEN)
        self._epoch = epoch
        self._changed = changed
        self._adopt = adopt
        self._watch = Watch(lease)
        self._changes: int | None = None
        self._adopting: asyncio.Future[None] | None = None
        self._run: PostgresRun | None = None
        self._task = asyncio.create_task(self._beat_forever())

    async def _beat_forever(self) -> None:
        while True:
            try:
                await self._beat()
            except FAILED:  # the writer says so to everybody; here it only means that nobody was watched
                self._watch.forget()
                self._let_go()
            await asyncio.sleep(self._between)

    async def _beat(self) -> None:
        if self._run is None:
            self._run = PostgresRun(await connect(self._url, "pulse"))
            await self._run.connection.add_listener(CHANNEL, self._hear)
        await self._run.send(_BEAT, (self._epoch(),))
        changes = (await self._run.send(_CHANGES)).fetchone()[0]
        if self._changes is not None and changes != self._changes:
            self._changed()
        self._changes = changes
        rows = (await self._run.send(_OTHERS, (self._epoch(),))).fetchall()
        dead = self._watch.look(rows, time.monotonic())
        if dead and (self._adopting is None or self._adopting.done()):
            self._adopting = asyncio.ensure_future(self._adopt(dead))

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        if payload != str(self._epoch()):
            self._changed()

    def _let_go(self) -> None:
        if self._run is not None:
            self._run.connection.terminate()
            self._run = None

    async def aclose(self) -> None:
        """Before the writer: what it adopts must still be ended."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._adopting is not None:
            await asyncio.wait([self._adopting])
        self._let_go()
