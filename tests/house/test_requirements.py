"""The locks: hashed, without addresses, in step with what is asked for, and few enough.

Law: no network. That the newest versions are taken is the business of `./run lock`; that the locks answer the question
asked is the business of this file.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.tree import ROOT

FOLDER = ROOT / "requirements"
LEVELS = ("run", "dev", "bench")
ALL = ("uv", "node", *LEVELS)
MOST_PACKAGES = 45


def asked(path: Path) -> list[Requirement]:
    """What an .in file asks for itself, without the files it includes."""
    lines = [line.split("#")[0].strip() for line in path.read_text().split("\n")]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked(text: str) -> dict[str, list[Requirement]]:
    """name -> its entries; a package may have one per platform."""
    entries: dict[str, list[Requirement]] = {}
    for line in text.replace("\\\n", " ").split("\n"):
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(re.split(r"\s--hash", line)[0].strip())
            entries.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return entries


def lock(level: str) -> dict[str, list[Requirement]]:
    return locked((FOLDER / f"{level}.txt").read_text())


def versions(level: str) -> dict[str, set[str]]:
    return {name: {str(entry.specifier) for entry in entries} for name, entries in lock(level).items()}


def answers(wanted: Requirement, entries: list[Requirement]) -> bool:
    pins = [str(entry.specifier).removeprefix("==") for entry in entries]
    return bool(pins) and all(wanted.specifier.contains(Version(pin), prereleases=True) for pin in pins)


@pytest.mark.parametrize("level", ALL)
def test_every_package_is_pinned_and_hashed_and_no_address_is_in(level: str) -> None:
    text = (FOLDER / f"{level}.txt").read_text()
    assert "://" not in text + (FOLDER / f"{level}.in").read_text()
    entries = [line for line in text.replace("\\\n", " ").split("\n") if line.strip()]
    assert entries
    assert [line for line in entries if not re.match(r"[\w.-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


@pytest.mark.parametrize("level", ALL)
def test_the_lock_answers_what_is_asked(level: str) -> None:
    entries = lock(level)
    wanted = asked(FOLDER / f"{level}.in")
    missing = [str(one) for one in wanted if not answers(one, entries.get(canonicalize_name(one.name), []))]
    assert missing == [], f"run ./run lock: requirements/{level}.txt does not answer these"


def test_the_package_asks_for_what_is_installed_to_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {str(Requirement(line)) for line in project["dependencies"]} == {
        str(one) for one in asked(FOLDER / "run.in")
    }


@pytest.mark.parametrize(("level", "below"), [("dev", "run"), ("bench", "dev")])
def test_a_level_holds_all_of_the_one_below(level: str, below: str) -> None:
    assert f"-r {below}.in" in (FOLDER / f"{level}.in").read_text().split("\n")
    mine, base = versions(level), versions(below)
    assert {name: pins for name, pins in base.items() if mine.get(name) != pins} == {}


def test_few_packages_are_needed_to_run() -> None:
    assert len(lock("run")) <= MOST_PACKAGES


def test_a_lock_that_has_fallen_behind_is_noticed() -> None:
    entries = locked("a-b==1.2 ; sys_platform == 'linux' \\\n    --hash=sha256:00\na-b==1.0 --hash=sha256:01\n")
    assert answers(Requirement("A_b>=1.0"), entries["a-b"])
    assert not answers(Requirement("a-b>=1.1"), entries["a-b"])
    assert not answers(Requirement("c>=1"), entries.get("c", []))
