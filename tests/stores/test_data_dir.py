"""Twin of stores/data_dir.py."""

import os
import subprocess
import sys

import pytest

from conflux.neutral.errors import ConfigError, StoreError
from conflux.stores.data_dir import DATABASE, LOCK, PEPPER, InUse, open_data_dir
from conflux.stores.sqlite_file import connect_writer
from tests.stores.books import environment


def _mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("mask", [0o022, 0o000])
def test_it_is_made_for_its_owner_only(tmp_path, mask):
    before = os.umask(mask)
    try:
        data = open_data_dir(tmp_path / "a" / "data dir")
    finally:
        os.umask(before)
    assert _mode(data.path) == 0o700
    assert _mode(data.path / PEPPER) == 0o600 and _mode(data.path / LOCK) == 0o600
    assert len(data.pepper) == 32
    assert data.database == data.path / DATABASE
    data.close()
    data.close()


def test_the_pepper_stays(tmp_path):
    first = open_data_dir(tmp_path)
    first.close()
    second = open_data_dir(tmp_path)
    assert second.pepper == first.pepper
    second.close()


def test_a_lost_pepper_is_never_replaced(tmp_path):
    open_data_dir(tmp_path).close()
    (tmp_path / DATABASE).touch()
    (tmp_path / PEPPER).unlink()
    with pytest.raises(ConfigError, match="restore it from your backup"):
        open_data_dir(tmp_path)
    assert not (tmp_path / PEPPER).exists()


@pytest.mark.parametrize("text", ["", "00ff", "zz" * 32, "00" * 31, "é"])
def test_a_broken_pepper_is_named(tmp_path, text):
    (tmp_path / PEPPER).write_text(text)
    with pytest.raises(ConfigError, match="pepper"):
        open_data_dir(tmp_path)
    data = tmp_path / PEPPER
    data.write_text("00" * 32)
    open_data_dir(tmp_path).close()  # the lock was let go


HOLD = """
import sys
from pathlib import Path
from conflux.stores.data_dir import open_data_dir
data = open_data_dir(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_process_at_a_time_and_the_other_is_named(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(InUse, match=rf"{tmp_path} is in use by process {holder.pid}") as caught:
        open_data_dir(tmp_path)
    assert caught.value.pid == holder.pid
    assert "\n" not in str(caught.value)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    open_data_dir(tmp_path).close()  # however it died


def test_twice_in_one_process_is_no_better(tmp_path):
    data = open_data_dir(tmp_path)
    with pytest.raises(InUse):
        open_data_dir(tmp_path)
    data.close()


def test_a_place_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file.* cannot be used"):
        open_data_dir(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"cannot be used"):
        open_data_dir(tmp_path / "file" / "below")


def _database(path):
    connection = connect_writer(path)
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,) for _ in range(50)])
    return connection


@pytest.mark.parametrize("left", [0, 1, 60, 4096, -4096, -1])
def test_a_database_that_lost_its_content_is_never_begun_anew(tmp_path, left):
    open_data_dir(tmp_path).close()
    path = tmp_path / DATABASE
    _database(path).close()
    cut = path.read_bytes()[:left]
    path.write_bytes(cut)
    with pytest.raises(StoreError, match=rf"{path} cannot be read .*: restore it from your backup, or move it away"):
        open_data_dir(tmp_path)
    assert path.read_bytes() == cut
    path.rename(tmp_path / "away")
    open_data_dir(tmp_path).close()  # what the line told to do, helps; and the lock was let go


def test_a_file_that_is_none_is_left_alone(tmp_path):
    open_data_dir(tmp_path).close()
    (tmp_path / DATABASE).write_text("this is no database, whatever its name says " * 50)
    with pytest.raises(StoreError, match="it is no SQLite database"):
        open_data_dir(tmp_path)


@pytest.mark.parametrize("log", [True, False])
def test_a_checkpoint_that_was_cut_off_is_no_loss_while_its_log_is_there(tmp_path, log):
    """The first page says how many there are before the last is there."""
    open_data_dir(tmp_path).close()
    path = tmp_path / DATABASE
    connection = _database(path)
    wal = path.with_name(path.name + "-wal").read_bytes()
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    short = path.read_bytes()[:-4096]
    connection.close()
    path.write_bytes(short)
    if not log:
        with pytest.raises(StoreError, match="cut short"):
            open_data_dir(tmp_path)
        return
    path.with_name(path.name + "-wal").write_bytes(wal)
    open_data_dir(tmp_path).close()
    connection = connect_writer(path)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (50,)
    connection.close()
