"""A data directory in one file, and back: a tar of the database and of the secrets it is worth nothing without.

Law: the copy is one moment of the database, taken beside whoever writes, and is checked before it counts. A file or a
directory is whole or as it was before; nothing that is replaced is deleted.
"""

import contextlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import gmtime, strftime
from typing import BinaryIO

from conflux.neutral.errors import ConfigError, StoreError
from conflux.private_file import sync_folder
from conflux.stores.data_dir import DATABASE, PEPPER, take_lock
from conflux.stores.migrate import HEAD, revision_of
from conflux.stores.sqlite_file import check_whole, connect_reader, unreadable
from conflux.stores.sqlite_verify import verify

SECRETS = (PEPPER, "encryption.key")
_BESIDE = (f"{DATABASE}-wal", f"{DATABASE}-shm")
_PAGES = 2000  # at a time

Tell = Callable[[int, int], None]


def backup(data_dir: Path, file: Path, tell: Tell = lambda done, total: None, *, force: bool = False) -> None:
    """Raises ConfigError where it cannot be written, StoreError where the copy does not hold."""
    source = data_dir / DATABASE
    if not source.exists():
        raise ConfigError([f"backup: there is no gateway's data in {data_dir}: name another with --data"])
    if file.exists() and not force:
        raise ConfigError([f"backup: {file} is there already: choose another name, or say --force"])
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.absolute().parent) as folder:
            copy = Path(folder) / DATABASE
            _copy(source, copy, tell)
            _check(copy)
            draft = Path(folder) / "tar"
            with _private(draft) as out, tarfile.open(fileobj=out, mode="w") as tar:
                for path in (*(data_dir / name for name in SECRETS), copy):
                    if path.exists():
                        tar.add(path, path.name, recursive=False)
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise ConfigError([f"backup: {error.filename or file}: {error.strerror or error}"]) from None


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def _copy(source: Path, target: Path, tell: Tell) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        check_whole(source)
        with contextlib.closing(connect_reader(source)) as run, contextlib.closing(sqlite3.connect(target)) as copy:
            # A read that is open holds the moment: a copy that went by steps alone would begin anew at each commit.
            run.execute("BEGIN")
            run.execute("SELECT count(*) FROM meta").fetchone()
            run.backup(copy, pages=_PAGES, progress=lambda _, left, total: tell(total - left, total))
    except sqlite3.Error as error:
        raise unreadable(source, str(error)) from error


def _check(path: Path) -> None:
    """Every invariant; of a database of another version what the file itself says."""
    with contextlib.closing(connect_reader(path)) as run:
        current = revision_of(run) == HEAD
        sound = [row[0] for row in run.execute("PRAGMA quick_check(1)")] == ["ok"]
    if not sound:
        raise StoreError("the copy is damaged, and so is what it was copied from: `conflux ledger verify` says more")
    if current:
        report = verify(path)
        if not report.ok:
            wrong = ", ".join(f"{name} {n}" for name, n in report.counts().items() if n and "checked" not in name)
            raise StoreError(f"the books in it do not hold ({wrong}): `conflux ledger verify` checks the original")


def restore(data_dir: Path, file: Path, *, force: bool = False) -> Path | None:
    """Where what was there before was put. Raises InUse beside a server, ConfigError, StoreError."""
    if not file.is_file():
        raise ConfigError([f"restore: there is no file {file}"])
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(data_dir)
    except OSError as error:
        raise ConfigError([f"restore: {data_dir}: {error.strerror or error}"]) from None
    try:
        if (data_dir / DATABASE).exists() and not force:
            raise ConfigError([f"restore: {data_dir} has a database already: say --force to put it aside"])
        with tempfile.TemporaryDirectory(prefix=".restore.", dir=data_dir) as folder:
            names = _unpack(file, Path(folder))
            _check(Path(folder) / DATABASE)
            aside = _put_aside(data_dir)
            for name in sorted(names, key=lambda one: one == DATABASE):  # the database last: with it all is there
                os.replace(Path(folder) / name, data_dir / name)
        sync_folder(data_dir)
        return aside
    except OSError as error:
        raise ConfigError([f"restore: {error.filename or file}: {error.strerror or error}"]) from None
    except sqlite3.Error as error:
        raise ConfigError([f"restore: {file}: its database cannot be read: {error}"]) from None
    finally:
        os.close(lock)


def _unpack(file: Path, folder: Path) -> set[str]:
    """Only what a backup holds, by its exact names; nothing in an archive says where it goes."""
    found: set[str] = set()
    try:
        with tarfile.open(file, mode="r:") as tar:
            for member in tar:
                if member.name not in (DATABASE, *SECRETS) or not member.isreg() or member.name in found:
                    raise ConfigError([f"restore: {file} is no backup of Conflux: it holds {member.name[:80]!r}"])
                found.add(member.name)
                content = tar.extractfile(member)
                assert content is not None, "a regular file has content"
                with _private(folder / member.name) as out:
                    shutil.copyfileobj(content, out)
                    out.flush()
                    os.fsync(out.fileno())
    except tarfile.TarError as error:
        raise ConfigError([f"restore: {file} is no backup of Conflux, or is cut short: {error}"]) from None
    missing = {DATABASE, PEPPER} - found
    if missing:
        raise ConfigError([f"restore: {file} is no whole backup of Conflux: it lacks {', '.join(sorted(missing))}"])
    return found


def _put_aside(data_dir: Path) -> Path | None:
    there = [name for name in (DATABASE, *_BESIDE, *SECRETS) if (data_dir / name).exists()]
    if not there:
        return None
    aside = Path(tempfile.mkdtemp(prefix=strftime("replaced-%Y%m%d-%H%M%S-", gmtime()), dir=data_dir))
    for name in there:
        os.replace(data_dir / name, aside / name)
    return aside
