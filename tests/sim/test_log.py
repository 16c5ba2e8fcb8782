"""The log is there before the answer is, in memory and in its file."""

import json
import stat
from pathlib import Path

from conflux.sim.log import Record, SimLog


def record(name: str = "r") -> Record:
    return Record(name, "/p", "m", True, "hash", {"a": "b"})


def test_a_request_is_two_lines_of_one_number(tmp_path: Path) -> None:
    path = tmp_path / "sim.jsonl"
    log = SimLog(path)
    first, second = record("first"), record("second")
    log.began(first)
    log.began(second)
    # Nothing is held back: who reads the file now sees it, and a crash now loses nothing.
    assert [json.loads(line)["ended"] for line in path.read_text().splitlines()] == ["open", "open"]
    first.tokens = 5
    log.ended(first, "done")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["number"], line["request_id"], line["ended"], line["tokens"]) for line in lines] == [
        (1, "first", "open", 0), (2, "second", "open", 0), (1, "first", "done", 5),
    ]  # fmt: skip
    assert (log.received, log.open) == (2, 1)
    log.close()


def test_the_first_end_counts() -> None:
    log, one = SimLog(), record()
    log.began(one)
    log.ended(one, "reset-mid")
    log.ended(one, "client left")
    assert one.ended == "reset-mid"
    assert log.open == 0


def test_the_file_is_appended_to_and_private(tmp_path: Path) -> None:
    path = tmp_path / "sim.jsonl"
    for _ in range(2):
        log = SimLog(path)
        log.began(record())
        log.close()
        log.close()
    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_memory_is_bounded() -> None:
    log = SimLog(most=20)
    for _ in range(500):
        log.began(record())
    assert len(log.records) <= 20
    assert log.records[-1].number == 500
    assert log.received == 500


def test_lines_and_clear() -> None:
    log = SimLog()
    log.began(record("x"))
    assert json.loads(log.lines())["request_id"] == "x"
    log.clear()
    assert log.lines() == b""
