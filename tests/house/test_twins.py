"""Every source file that does something has its twin: src/conflux/a/b.py is tested by tests/a/test_b.py."""

import ast
from pathlib import Path

from tests.house.tree import ROOT, SOURCES, parsed, relative, source_files

# Folders tested as a whole: the steps of a migration make sense only one after the other.
AS_A_WHOLE = frozenset({"migrations"})


def twin_of(source: Path) -> Path:
    return ROOT / "tests" / source.relative_to(SOURCES).with_name(f"test_{source.name}")


def acts(module: ast.Module) -> bool:
    """Has it a function with a body? Records, tables and protocols alone need no test of their own."""

    def is_body(statement: ast.stmt) -> bool:
        return not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))

    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(is_body(part) for part in node.body)
        for node in ast.walk(module)
    )


def has_tests(path: Path) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.walk(parsed(path))
    )


def needs_twin(source: Path) -> bool:
    if source.stem in {"__init__", "__main__"} or AS_A_WHOLE & set(source.parts):
        return False
    return acts(parsed(source))


def test_every_source_that_acts_has_a_twin_with_tests() -> None:
    missing = []
    for source in source_files():
        twin = twin_of(source)
        if needs_twin(source) and not (twin.is_file() and has_tests(twin)):
            missing.append(f"{relative(source)} has no tests in {relative(twin)}")
    assert not missing, "\n" + "\n".join(missing)


def test_records_and_protocols_do_not_act_and_functions_do() -> None:
    assert not acts(ast.parse("class A(Protocol):\n    def f(self) -> None:\n        'Says.'\n        ...\nB = 3"))
    assert acts(ast.parse("class A:\n    def f(self):\n        'Says.'\n        return 1"))
    assert acts(ast.parse("async def f():\n    await g()"))


def test_the_twin_stands_where_the_source_does() -> None:
    assert relative(twin_of(SOURCES / "relay" / "admit.py")) == "tests/relay/test_admit.py"
    assert relative(twin_of(SOURCES / "settings.py")) == "tests/test_settings.py"
