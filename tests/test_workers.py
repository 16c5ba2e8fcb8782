"""Twin of workers.py: who is forked, replaced and told. What they serve together is in system/test_postgres.py."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conflux import workers
from conflux.neutral.errors import ConfigError
from conflux.settings import load
from conflux.stores.data_dir import InUse
from conflux.workers import bind_public, bind_rest, own_data
from tests.stores.books import environment


def config(folder: Path, text: str = "") -> Any:
    file = folder / "x.toml"
    file.write_text(text)
    return load({"port": 0, "data": str(folder / "data")}, {}, str(file))


def test_a_directory_that_is_in_use_is_waited_for_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "LOCK_PATIENCE", 0.1)
    data = own_data(config(tmp_path))
    with pytest.raises(InUse):
        own_data(config(tmp_path))
    data.close()
    own_data(config(tmp_path)).close()


def two_ports() -> int:
    """The first of two free ones beside each other."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            if port < 65535 and two.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


def test_each_worker_has_a_port_for_its_figures(tmp_path):
    port = two_ports()
    made = config(tmp_path, f"[metrics]\nport = {port}\n")
    data = own_data(made)
    doors = bind_rest(made, bind_public(made))
    assert workers._place(doors, data, 0, -1).doors is doors
    second = workers._place(doors, data, 1, -1).doors
    assert second.metrics is not None and second.metrics.getsockname()[1] == port + 1
    for one in (second.metrics, doors.public, doors.control):
        one.close()
    data.close()


CREW = """
import os, signal, sys, time
from conflux import workers
from conflux.workers import Crew

workers._SETTLING = float(sys.argv[1])
what = sys.argv[2] if len(sys.argv) > 2 else ""
if what.startswith("SIG"):  # it comes to the parent as soon as there is a second worker
    forked = iter([False, True])

    def fork(plain=os.fork):
        pid = plain()
        if next(forked) and pid:
            os.kill(os.getpid(), signal.Signals[what])
        return pid

    os.fork = fork
crew = Crew()
number = next((number for number in range(2) if crew.fork(number)), None)
if number is None:
    number = crew.watch()
signal.signal(signal.SIGHUP, lambda *_: os.write(1, b"%d read again\\n" % number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
os.write(1, b"%d %d\\n" % (number, os.getpid()))
if what == "fail":
    os._exit(3)
if not os.read(crew.lifeline, 1):
    os.write(1, b"%d orphan\\n" % number)
"""


@pytest.fixture
def crew():
    made: list[subprocess.Popen[bytes]] = []

    def one(*arguments: str) -> subprocess.Popen[bytes]:
        made.append(
            subprocess.Popen(
                [sys.executable, "-c", CREW, *arguments],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        return made[-1]

    yield one
    for process in made:
        if process.poll() is None:
            process.kill()
        process.communicate()


def begun(process: Any, count: int) -> dict[int, int]:
    lines = [process.stdout.readline().split() for _ in range(count)]
    return {int(number): int(pid) for number, pid in lines}


def test_a_worker_that_dies_is_replaced_and_all_end_with_the_parent(crew):
    process = crew("0")
    pids = begun(process, 2)
    assert sorted(pids) == [0, 1]
    os.kill(pids[1], signal.SIGKILL)
    (again,) = begun(process, 1).items()
    assert again[0] == 1 and again[1] != pids[1]
    process.send_signal(signal.SIGHUP)
    assert sorted(process.stdout.readline() for _ in range(2)) == [b"0 read again\n", b"1 read again\n"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert b"worker 1 ended (-9) and is replaced" in process.stderr.read()


def test_a_hangup_during_a_fork_reaches_the_new_one_too_and_ends_none(crew):
    process = crew("60", "SIGHUP")
    heard = [process.stdout.readline() for _ in range(4)]
    assert {b"0 read again\n", b"1 read again\n"} < set(heard)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_an_end_during_a_fork_ends_the_new_one_too(crew):
    assert crew("60", "SIGTERM").wait(20) == 0


def test_one_that_replaces_another_begins_with_what_is_written_now(tmp_path, capsys):
    old, new = config(tmp_path), config(tmp_path, "[limits]\nbody_bytes = 5000\n")
    assert workers._lately(old, lambda: new) is new

    def broken() -> Any:
        raise ConfigError(["x.toml: nothing fits"])

    assert workers._lately(old, broken) is old
    assert "x.toml: nothing fits" in capsys.readouterr().err


def test_one_that_cannot_begin_ends_all(crew):
    assert crew("60", "fail").wait(20) == 3


def test_no_worker_outlives_its_parent(crew):
    process = crew("60")
    begun(process, 2)
    process.kill()
    assert sorted(process.stdout.read().splitlines()) == [b"0 orphan", b"1 orphan"]
