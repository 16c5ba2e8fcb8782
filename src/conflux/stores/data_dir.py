"""The data directory: whose it is, and what lies in it.

Law: one process at a time, proven by a lock the kernel keeps and lets go with the process. Secrets are made once,
readable by their owner alone, and never replaced: keys without their pepper would all be void.
"""

import fcntl
import os
import secrets
from pathlib import Path

from conflux.neutral.errors import ConfigError, StoreError
from conflux.private_file import write_private
from conflux.stores.sqlite_file import check_whole

DATABASE = "conflux.db"
PEPPER = "pepper"
LOCK = "lock"

_PEPPER_BYTES = 32


class InUse(StoreError):
    """Another process has the directory."""

    def __init__(self, path: Path, pid: str) -> None:
        super().__init__(f"{path} is in use by process {pid or 'unknown'}: one process at a time may open it")
        self.pid = int(pid) if pid.isdigit() else None


class DataDir:
    def __init__(self, path: Path, lock: int, pepper: bytes) -> None:
        self.path = path
        self.database = path / DATABASE
        self.pepper = pepper
        self._lock = lock

    def close(self) -> None:
        """The lock is let go with its file."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def open_data_dir(path: Path) -> DataDir:
    """Raises InUse, StoreError where the database lost its content, ConfigError where the directory cannot be made
    or its secrets are missing."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(path)
    except OSError as error:
        raise ConfigError([f"the data directory {path} cannot be used: {error.strerror or error}"]) from None
    try:
        pepper = _pepper(path / PEPPER, fresh=not (path / DATABASE).exists())
        check_whole(path / DATABASE)
        return DataDir(path, lock, pepper)
    except OSError as error:
        os.close(lock)
        raise ConfigError([f"the data directory {path} cannot be used: {error.strerror or error}"]) from None
    except BaseException:
        os.close(lock)
        raise


def take_lock(path: Path) -> int:
    """Whoever closes it lets go. Raises InUse."""
    found = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(found, 20).decode("ascii", "replace").strip()
        os.close(found)
        raise InUse(path, pid) from None
    except OSError:
        os.close(found)
        raise
    os.ftruncate(found, 0)
    os.pwrite(found, f"{os.getpid()}\n".encode(), 0)
    return found


def _pepper(path: Path, *, fresh: bool) -> bytes:
    try:
        found = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        if not fresh:
            raise ConfigError(
                [f"{path} is missing, and without it no key of this database is valid: restore it from your backup"]
            ) from None
        found = secrets.token_bytes(_PEPPER_BYTES)
        write_private(path, found.hex() + "\n")
        return found
    except ValueError:
        found = b""
    if len(found) != _PEPPER_BYTES:
        raise ConfigError([f"{path} does not hold {_PEPPER_BYTES} bytes in hexadecimal: restore it from your backup"])
    return found
