"""Files of at most 500 lines, functions of at most 60: what is longer holds two thoughts."""

import ast
from collections.abc import Iterator

from tests.house.tree import files, parsed, python_files, relative

FILE_LINES = 500
FUNCTION_LINES = 60
CODE = {".py", ".sh", ".ts", ".tsx", ".css", ".sql"}
GENERATED = ("routeTree.gen.ts", "admin.gen.ts")


def long_functions(module: ast.Module) -> Iterator[tuple[str, int, int]]:
    """(name, line, length); nested functions count towards the outer one too."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.name, node.lineno, length


def test_files_are_short() -> None:
    code = [path for path in files() if (path.suffix in CODE or path.name == "run") and path.name not in GENERATED]
    lengths = {relative(path): len(path.read_text().splitlines()) for path in code}
    too_long = {name: length for name, length in lengths.items() if length > FILE_LINES}
    assert lengths["run"] > 0
    assert not too_long


def test_functions_are_short() -> None:
    too_long = [
        f"{relative(path)}:{line} {name} has {length} lines"
        for path in python_files()
        for name, line, length in long_functions(parsed(path))
    ]
    assert not too_long, "\n" + "\n".join(too_long)


def test_a_long_function_is_noticed() -> None:
    body = "    x = 1\n"
    assert not list(long_functions(ast.parse("def f():\n" + body * (FUNCTION_LINES - 1))))
    assert list(long_functions(ast.parse("def f():\n" + body * FUNCTION_LINES))) == [("f", 1, FUNCTION_LINES + 1)]
