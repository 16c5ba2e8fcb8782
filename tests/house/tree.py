"""The project's files as these tests see them.

Law: what .gitignore leaves out is not the project; so the tests say the same in a checkout, a copy and a room full of
caches. Generated files are named here once.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "conflux"


@cache
def _ignored() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text().split("\n")
    return (*(line.strip() for line in lines if line.strip() and not line.startswith("#")), ".git")


def _is_ignored(path: Path) -> bool:
    for pattern in _ignored():
        name = pattern.strip("/")
        if pattern.startswith("/"):
            if path == ROOT / name:
                return True
        elif fnmatch(path.name, name):
            return True
    return False


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _is_ignored(path):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        elif path.is_file():
            yield path


@cache
def files() -> tuple[Path, ...]:
    return tuple(_walk(ROOT))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def source_files() -> list[Path]:
    return [path for path in python_files() if path.is_relative_to(SOURCES)]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@cache
def text_of(path: Path) -> str | None:
    """None: not a text."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None
