"""Twin of faces/job_board.py."""

import os
import subprocess
import sys
from pathlib import Path

from conflux.faces.job_board import RUNNING, Job, JobBoard
from tests.house.tree import ROOT

_DIES = """
import os, sys
from pathlib import Path
from conflux.faces.job_board import Job, JobBoard
JobBoard(Path(sys.argv[1])).put(Job(id="job_dead", kind="backup", by="ann", started=1))
print("put", flush=True)
sys.stdin.read()
os._exit(9)
"""


def job(name: str = "job_1") -> Job:
    return Job(id=name, kind="backup", by="ann", about="x" * 3000, started=1)


def test_what_one_puts_up_others_read_until_it_is_taken(tmp_path: Path) -> None:
    one, other = JobBoard(tmp_path / "jobs"), JobBoard(tmp_path / "jobs")
    assert other.others() == []
    mine = job()
    one.put(mine)
    mine.done, mine.total = 3, 9
    one.change(mine)
    assert other.others() == [mine] and mine.state == RUNNING
    assert one.others() == [], "one's own"
    one.take(mine.id)
    assert other.others() == [] and list((tmp_path / "jobs").iterdir()) == []


def test_what_is_told_after_the_end_is_not_heard(tmp_path: Path) -> None:
    one, other = JobBoard(tmp_path), JobBoard(tmp_path)
    one.put(job())
    one.take("job_1")
    one.change(job())
    one.take("job_1")
    assert other.others() == []


def test_what_a_dead_worker_left_is_taken_away(tmp_path: Path) -> None:
    board = JobBoard(tmp_path)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", _DIES, str(tmp_path)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    assert worker.stdin is not None and worker.stdout is not None
    assert worker.stdout.readline() == b"put\n"
    assert [one.id for one in board.others()] == ["job_dead"]
    worker.stdin.close()
    assert worker.wait() == 9
    worker.stdout.close()
    assert (tmp_path / "job_dead").exists()
    assert board.others() == [] and not (tmp_path / "job_dead").exists()


def test_what_is_no_job_is_passed_over(tmp_path: Path) -> None:
    one = JobBoard(tmp_path)
    one.put(job())
    (tmp_path / "job_1").write_bytes(b"{")
    assert JobBoard(tmp_path).others() == []
