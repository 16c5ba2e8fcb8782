"""What must not be in the project: traces of a machine or of a registry, secrets, and code that hides mistakes.

The words looked for are put together from pieces, so that this file does not hold them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import files, parsed, python_files, relative, source_files, text_of

REGISTRIES = tuple(
    "".join(pieces)
    for pieces in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("npm", "mirror.com"),
        ("yarn", "pkg.com"),
        ("crates", ".io"),
        ("proxy.golang", ".org"),
        ("ana", "conda.org"),
        ("ruby", "gems.org"),
        ("py", "pi/simple"),
    )
)
MACHINE = re.compile(r"(?<![\w.~-])/(" + "|".join(("wo" + "rk", "ro" + "ot", "tm" + "p")) + r")/")
SECRETS = re.compile(
    "|".join(("-----BEGIN [A-Z ]*PRIVATE" + " KEY", r"\bsk-" + "[A-Za-z0-9_-]{40,}", r"\bAKIA" + "[0-9A-Z]{16}"))
)


def found(pattern: re.Pattern[str], paths: Iterator[Path]) -> list[str]:
    return [
        f"{relative(path)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate((text_of(path) or "").split("\n"), 1)
        if pattern.search(line)
    ]


def test_no_registry_is_named() -> None:
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)
    assert found(pattern, iter(files())) == []


def test_no_path_of_a_machine_is_named() -> None:
    assert found(MACHINE, iter(files())) == []
    assert MACHINE.search("see /tm" + "p/x")
    assert not MACHINE.search("https://example.com/net" + "work/")


def test_no_secret_is_kept() -> None:
    assert found(SECRETS, iter(files())) == []


def test_only_the_locks_we_chose_and_no_path_hooks() -> None:
    strangers = [relative(path) for path in files() if path.name in {"uv" + ".lock", "poetry.lock"}]
    strangers += [relative(path) for path in files() if path.suffix in {".pth", ".egg-link", ".pyc"}]
    assert strangers == []


def test_no_global_statement() -> None:
    assert [
        f"{relative(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Global)
    ] == []


def broad_handlers(source: str) -> list[int]:
    """Lines that catch everything and neither pass it on nor say, with `edge:` and a reason, why they may."""
    lines = source.split("\n")
    broad = {"Exception", "BaseException"}
    bad = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if not any(kind is None or (isinstance(kind, ast.Name) and kind.id in broad) for kind in caught):
            continue
        last = node.body[-1]
        passes_on = isinstance(last, ast.Raise) and last.exc is None
        if not passes_on and not re.search(r"#.*\bedge: \w", lines[node.lineno - 1]):
            bad.append(node.lineno)
    return bad


def test_nothing_is_swallowed() -> None:
    bad = [f"{relative(path)}:{line}" for path in source_files() for line in broad_handlers(path.read_text())]
    assert bad == []


def test_a_swallowing_handler_is_noticed() -> None:
    attempt = "try:\n    f()\nexcept"
    assert broad_handlers(f"{attempt} Exception:\n    pass") == [3]
    assert broad_handlers(f"{attempt} (ValueError, BaseException) as e:\n    log(e)") == [3]
    assert broad_handlers(f"{attempt}:\n    pass") == [3]
    assert broad_handlers(f"{attempt} Exception:  # edge: the client is gone\n    pass") == []
    assert broad_handlers(f"{attempt} BaseException:\n    undo()\n    raise") == []
    assert broad_handlers(f"{attempt} ValueError:\n    pass") == []


def test_every_source_opens_with_what_it_is_for() -> None:
    assert [relative(path) for path in source_files() if ast.get_docstring(parsed(path)) is None] == []
