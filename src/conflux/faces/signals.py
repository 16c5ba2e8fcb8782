"""The process's signals: how a running gateway is stopped and reloaded.

Law: heard before anybody is told that the gateway runs. The first SIGTERM or SIGINT says stop, the second says at once.
SIGTERM comes from a supervisor whose load balancer needs a moment to look away; SIGINT from somebody at a keyboard.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable


class Signals:
    def __init__(self, reload: Callable[[], Awaitable[None]]) -> None:
        self._reload = reload
        self._reloads: set[asyncio.Future[None]] = set()
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.patient = False  # there is somebody to look away from us

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, True)
        loop.add_signal_handler(signal.SIGINT, self._stop, False)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # held back for a worker that was starting

    async def grace(self, seconds: float) -> None:
        """The moment between "not ready" and closed doors."""
        if self.patient:
            try:
                await asyncio.wait_for(self.hurry.wait(), seconds)
            except TimeoutError:
                return

    def _stop(self, patient: bool) -> None:
        if self.stop.is_set():
            self.hurry.set()
            return
        self.patient = patient
        self.stop.set()

    def _hangup(self) -> None:
        task = asyncio.ensure_future(self._reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)
