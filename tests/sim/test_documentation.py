"""docs/simulator.md says what is so: its markers are read, its script is loaded, its lists are complete."""

import re
from pathlib import Path

from conflux.sim import markers
from conflux.sim.script import Script

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_every_marker_in_it_is_read() -> None:
    steps = markers.read(re.sub(r"```toml.*?```", "", TEXT, flags=re.DOTALL))  # whose tables look like markers
    assert [one for step in steps for one in step.unknown] == []
    assert len(steps) > 3


def test_the_script_in_it_is_loaded(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "s.toml").write_text(block)
    script = Script.load(tmp_path / "s.toml")
    assert len(script.rules) == 3 and script.pace == 60 and not script.quirks.done


def test_every_failure_manner_and_finish_is_in_it() -> None:
    words = set(re.findall(r"`([a-z0-9_-]+)(?: N)?`", TEXT))
    assert {*markers.FAULTS, *markers.USAGE_MANNERS, *markers.FINISHES} <= words
