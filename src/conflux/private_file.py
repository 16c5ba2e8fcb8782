"""A secret's file.

Law: whole or not at all, on the disk when the call returns, for its owner only.
"""

import os
from pathlib import Path


def write_private(path: Path, text: str, *, anew: bool = False) -> None:
    """`anew`: raises FileExistsError where another process was quicker to make it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(made, text.encode())
        os.fsync(made)
    finally:
        os.close(made)
    if anew:
        _link(draft, path)
    else:
        os.replace(draft, path)
    sync_folder(path.parent)


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        os.unlink(draft)
        raise
    except OSError:  # a file system that knows no links
        os.replace(draft, path)
    else:
        os.unlink(draft)


def sync_folder(path: Path) -> None:
    """So that a name made or changed in it outlives a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
