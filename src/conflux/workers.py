"""Several processes behind one door.

Law: the sockets are bound and the data directory is locked before the first worker is forked, so all of them have both.
Every worker serves, and every worker can carry out an admin's operation. One that dies is replaced; what it left open
in the ledger is ended by the others. The parent only waits: it has no loop, no thread and no database. No signal falls
between a fork and the parent's knowing of it, and none meets a worker that cannot hear it yet.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import msgspec

from conflux.faces.control import SOCKET_NAME, server_runs
from conflux.faces.server import bind_tcp, bind_unix
from conflux.neutral.errors import ConfigError
from conflux.settings import Config
from conflux.stores.data_dir import DataDir, InUse, open_data_dir

LOCK_PATIENCE = 5.0  # seconds a starting server waits for a command that has the store
_SETTLING = 5.0  # a worker that ends sooner would end again
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Doors(msgspec.Struct, frozen=True):
    """Bound, and not yet listened on."""

    public: socket.socket
    metrics: socket.socket | None
    control: socket.socket


class Place(msgspec.Struct, frozen=True):
    """What a process is given to stand on. `worker`: which of several it is."""

    doors: Doors
    data: DataDir
    worker: int
    spread: Callable[[], None]  # tell all workers to read the configuration again
    lifeline: int  # ends when the parent does


def own_data(config: Config) -> DataDir:
    """The data directory, as its only owner. A command that has it is waited for; another server is not."""
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return open_data_dir(config.data_dir)
        except InUse:
            if server_runs(config.data_dir) or time.monotonic() > end:
                raise
        time.sleep(0.05)


def bind_public(config: Config) -> socket.socket:
    return bind_tcp(config.settings.host, config.settings.port)


def bind_rest(config: Config, public: socket.socket) -> Doors:
    """Once the data directory is ours."""
    metrics = config.settings.metrics
    return Doors(
        public,
        bind_tcp(metrics.host, metrics.port) if metrics.port is not None else None,
        bind_unix(config.data_dir / SOCKET_NAME),
    )


def split(config: Config, reread: Callable[[], Config]) -> tuple[Place, Config]:
    """Returns in each worker; the parent stays inside until all of them have ended, and exits."""
    public = bind_public(config)
    data = own_data(config)
    doors = bind_rest(config, public)
    crew = Crew()
    number = next((number for number in range(config.settings.workers) if crew.fork(number)), None)
    if number is None:
        number = crew.watch()
        config = _lately(config, reread)
    return _place(doors, data, number, crew.lifeline), config


def _lately(config: Config, reread: Callable[[], Config]) -> Config:
    """What the others took over since the parent began; a file that is broken by now ends no worker."""
    try:
        return reread()
    except ConfigError as error:
        problems = "\n  ".join(error.problems)
        print(
            f"conflux: configuration not taken over, the first one counts:\n  {problems}", file=sys.stderr, flush=True
        )
        return config


def _place(doors: Doors, data: DataDir, number: int, lifeline: int) -> Place:
    parent = os.getppid()
    metrics = doors.metrics
    if metrics is not None and number:
        host, port = metrics.getsockname()[:2]  # figures are a worker's own: each has its port, one after the other
        metrics.close()
        doors = msgspec.structs.replace(doors, metrics=bind_tcp(host, port + number))
    return Place(doors, data, number, lambda: os.kill(parent, signal.SIGHUP), lifeline)


class Crew:
    """The parent's workers."""

    def __init__(self) -> None:
        self._pids: dict[int, tuple[int, float]] = {}  # pid -> its number, and since when
        self._stopping = False
        self.lifeline, self._held = os.pipe()
        for one in _FORWARDED:
            signal.signal(one, self._forward)

    def fork(self, number: int) -> bool:
        """True in the worker, which hears of a SIGHUP once it listens: see faces/signals.py."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
        pid = None if self._stopping else os.fork()
        if pid == 0:
            os.close(self._held)
            for one in _FORWARDED:
                signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, before | {signal.SIGHUP})
            return True
        if pid is not None:
            self._pids[pid] = (number, time.monotonic())
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return False

    def watch(self) -> int:
        """Until all have ended; then this process ends too. Returns only in a worker that replaces another."""
        code = 0
        while self._pids:
            pid, status = os.wait()
            if pid not in self._pids:
                continue
            number, since = self._pids.pop(pid)
            if self._stopping:
                continue
            ended = os.waitstatus_to_exitcode(status)
            if time.monotonic() - since < _SETTLING:  # it could not begin, and said why
                code = code or max(ended, 1)
                self._stop(signal.SIGTERM)
                continue
            print(f"conflux: worker {number} ended ({ended}) and is replaced", file=sys.stderr, flush=True)
            if self.fork(number):
                return number
        sys.exit(code)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._tell(number)
        else:
            self._stop(signal.Signals(number))

    def _stop(self, how: signal.Signals) -> None:
        self._stopping = True
        self._tell(how)

    def _tell(self, how: int) -> None:
        for pid in list(self._pids):
            os.kill(pid, how)
