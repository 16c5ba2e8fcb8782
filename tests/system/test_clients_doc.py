"""docs/clients.md is true: each marked block does what its reader expects, as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system.serving import PATIENCE, Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
MARK = "Run by the tests."


class Block(NamedTuple):
    where: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.where} ({self.kind})"


def read(page: str) -> list[Block]:
    """The fenced blocks of the sections that say they are run."""
    sections = [one for one in re.split(r"^## ", page, flags=re.MULTILINE)[1:] if MARK in one]
    return [
        Block(section.partition("\n")[0], kind, text)
        for section in sections
        for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = read(PAGE.read_text(encoding="utf-8"))


def test_there_are_blocks_of_each_kind() -> None:
    assert {block.kind for block in BLOCKS} == {"sh", "python"}
    assert len({block.where for block in BLOCKS}) == 3


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_does_what_it_says(block: Block, plain: Served) -> None:
    command = [sys.executable, "-W", "error", "-c"] if block.kind == "python" else ["sh", "-c"]
    if block.kind == "sh":
        assert shutil.which("curl") is not None, "curl is missing: apt-get install curl"
    told = {"BASE": plain.address, "CONFLUX_KEY": plain.key(name="clients"), "MODEL": "conflux/deepseek-v4-pro"}
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **told}
    ended = subprocess.run([*command, block.text], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    # A stream cuts the word anywhere; its last event tells that it is whole.
    assert "hello" in ended.stdout.lower() or "event: message_stop" in ended.stdout
