"""Twin of stores/sqlite_file.py."""

import sqlite3

import pytest

from conflux.neutral.errors import ConfigError, StoreError
from conflux.stores.sqlite_file import check_version, connect_reader, connect_writer


def test_the_writer_is_durable_and_checkpoints_only_when_told(tmp_path):
    connection = connect_writer(tmp_path / "x.db")
    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "cache_spill", "busy_timeout")
    }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "wal_autocheckpoint": 0,
        "cache_spill": 0,
        "busy_timeout": 0,
    }
    connection.close()


def test_its_files_are_for_their_owner_only(tmp_path):
    connection = connect_writer(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (x)")
    modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
    connection.close()


@pytest.mark.parametrize("name", ["plain", "a space", "100%25", "what?#x"])
def test_a_reader_can_neither_write_nor_checkpoint(tmp_path, name):
    path = tmp_path / name
    writer = connect_writer(path)
    writer.execute("CREATE TABLE t (x)")
    writer.execute("INSERT INTO t VALUES (1)")
    reader = connect_reader(path)
    assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("INSERT INTO t VALUES (2)")
    reader.execute("PRAGMA query_only = OFF")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO t VALUES (2)")
    before = path.stat().st_size
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert path.stat().st_size == before
    reader.close()
    writer.close()


def test_a_reader_reads_what_a_dead_writer_left(tmp_path):
    """The write-ahead log of a process that was killed, with nobody there to check it in."""
    writer = connect_writer(tmp_path / "x.db")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("INSERT INTO t VALUES (1)")
    left = tmp_path / "left"
    left.mkdir()
    for one in ("x.db", "x.db-wal"):
        (left / one).write_bytes((tmp_path / one).read_bytes())
    writer.close()
    reader = connect_reader(left / "x.db")
    assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    reader.close()


def test_an_old_sqlite_is_named(tmp_path):
    check_version((3, 37, 0))
    with pytest.raises(ConfigError, match=r"SQLite 3\.36\.9: 3\.37\.0 or later"):
        check_version((3, 36, 9))


def test_a_place_without_a_write_ahead_log_is_refused(tmp_path, monkeypatch):
    class Poor(sqlite3.Connection):
        def execute(self, sql, *rest):
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode"), *rest)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **rest: real(*args, factory=Poor, **rest))
    with pytest.raises(StoreError, match="write-ahead log"):
        connect_writer(tmp_path / "x.db")
