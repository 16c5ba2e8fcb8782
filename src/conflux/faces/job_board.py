"""What runs in whichever worker, where all of them can see it: a file for each job in the data directory.

Law: the process that does the job holds its file locked for as long as it does it. A file that nobody holds is of one
that died: whoever comes upon it takes it away. The file tells how far the job is; how it ended is the audit log's.
"""

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import msgspec

RUNNING = "running"
ID = "job_"
_SIZE = 2048  # padded to it: what is told next covers what was told before


class Job(msgspec.Struct, kw_only=True):
    id: str
    kind: str
    by: str
    about: str = ""
    state: str = RUNNING
    done: int | None = None
    total: int | None = None
    started: int  # unix milliseconds, as `ended`
    ended: int | None = None
    result: dict[str, Any] | None = None
    problem: str | None = None


class JobBoard:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}
        self._turn = threading.Lock()  # a thread may tell of a job while the loop ends it

    def put(self, job: Job) -> None:
        """Raises OSError where nothing can be written."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        new = self._folder / f".{job.id}"
        file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        os.pwrite(file, _told(job), 0)
        new.rename(self._folder / job.id)  # locked and whole before anybody sees it
        self._held[job.id] = file

    def change(self, job: Job) -> None:
        """How far it is now. Raises OSError."""
        with self._turn:
            if job.id in self._held:
                told, held = _told(job), self._held[job.id]
                os.pwrite(held, told, 0)
                os.ftruncate(held, len(told))

    def take(self, job: str) -> None:
        with self._turn:
            held = self._held.pop(job, None)
            if held is not None:
                (self._folder / job).unlink(missing_ok=True)
                os.close(held)

    def others(self) -> list[Job]:
        """What other workers do now."""
        names = [path.name for path in self._folder.glob(ID + "*")] if self._folder.is_dir() else []
        found = [self._read(name) for name in names if name not in self._held]
        return [job for job in found if job is not None]

    def _read(self, name: str) -> Job | None:
        try:
            file = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None  # it has just ended
        try:
            if _dead(file):
                (self._folder / name).unlink(missing_ok=True)
                return None
            return msgspec.json.decode(os.pread(file, 1 << 16, 0), type=Job)
        except msgspec.MsgspecError:
            return None  # read in the middle of a word: the next look finds it
        finally:
            os.close(file)


def _told(job: Job) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(job, result=None)).ljust(_SIZE)


def _dead(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
