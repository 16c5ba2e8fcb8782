"""The wheel: what an installed Conflux needs is in it, and nothing else is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files, relative, source_files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_sources_and_the_catalogue(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    shipped = {relative(path).removeprefix("src/") for path in files() if relative(path).startswith("src/")}
    shipped |= {"conflux/_data/" + relative(path) for path in files() if relative(path).startswith("catalogue/")}
    assert "conflux/_data/catalogue/conflux.toml" in shipped
    app = {name for name in names if name.startswith("conflux/faces/static/")}
    assert names - app == shipped
    assert {"conflux/faces/static/index.html", "conflux/faces/static/.stamp"} <= app
    assert len(source_files()) <= len(names)


def test_the_unpacked_wheel_runs_with_its_own_catalogue(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    ask = "import conflux, conflux.catalogue.loader as of; print(conflux.__version__, of.shipped_dir())"
    said = subprocess.run(
        [sys.executable, "-P", "-c", ask],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    version, _, place = said.stdout.strip().partition(" ")
    assert wheel.name.startswith(f"conflux-{version}-py3-none-any")
    assert Path(place) == tmp_path / "conflux" / "_data" / "catalogue"


def test_the_wheel_installs_a_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert archive.read(name).decode().split() == ["[console_scripts]", "conflux", "=", "conflux.__main__:main"]
