"""The app's own tests of what needs no browser (vitest), and that its types hold."""

import os
import shutil
import subprocess

from tests.browser.conftest import carried_node
from tests.house.tree import ROOT


def test_the_apps_own_tests_pass(app: None) -> None:
    node = shutil.which("node") or carried_node() + "/node"
    ended = subprocess.run(
        [node, "node_modules/vitest/vitest.mjs", "run", "--reporter=dot"],
        cwd=ROOT / "ui",
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
