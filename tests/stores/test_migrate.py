"""Twin of stores/migrate.py."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import conflux
from conflux.neutral.errors import ConfigError
from conflux.stores import migrate as module
from conflux.stores.migrate import HEAD, migrate, revision_of
from tests.stores.books import environment


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(module._HERE))
    config.set_main_option("path_separator", "newline")
    return ScriptDirectory.from_config(config)


REVISIONS = [one.revision for one in reversed(list(_script().walk_revisions()))]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_the_newest_migration_is_the_head():
    assert _script().get_heads() == [HEAD]


@pytest.mark.parametrize("name", ["plain", "with space", "100%done", "a:b;c,d"])
def test_from_nothing_wherever_it_lies(tmp_path, name):
    (tmp_path / name).mkdir()
    connection = _open(tmp_path / name / "x.db")
    assert revision_of(connection) is None
    migrate(connection)
    assert revision_of(connection) == HEAD
    assert not connection.in_transaction
    connection.close()
    again = _open(tmp_path / name / "x.db")
    assert revision_of(again) == HEAD
    again.close()


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_each_earlier_revision(tmp_path, revision):
    connection = _open(tmp_path / "x.db")
    migrate(connection, revision)
    assert revision_of(connection) == revision
    migrate(connection)
    assert revision_of(connection) == HEAD
    connection.close()


def test_a_newer_database_is_left_alone(tmp_path):
    connection = _open(tmp_path / "x.db")
    migrate(connection)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"schema 9999.*newer version"):
        migrate(connection)
    assert revision_of(connection) == "9999"
    connection.close()


def test_a_migration_that_fails_never_was(tmp_path):
    connection = _open(tmp_path / "x.db")
    connection.execute("CREATE TABLE entry (x)")
    with pytest.raises(Exception, match="entry"):
        migrate(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("entry",)]
    connection.close()


def test_nothing_heavy_is_loaded_where_there_is_nothing_to_do(tmp_path):
    connection = _open(tmp_path / "x.db")
    migrate(connection)
    connection.close()
    code = (
        "import sys, sqlite3; from conflux.stores.migrate import migrate;"
        f"migrate(sqlite3.connect({str(tmp_path / 'x.db')!r}, isolation_level=None));"
        "import conflux.stores.opening;"
        "print([one for one in ('alembic', 'sqlalchemy', 'cryptography') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_it_works_from_a_folder_with_a_space(tmp_path):
    """As installed into such a place: the migrations are found beside their package."""
    place = tmp_path / "a place 100%"
    place.mkdir()
    (place / "conflux").symlink_to(Path(conflux.__file__).parent)
    code = (
        "import sqlite3; from conflux.stores.migrate import migrate, revision_of;"
        f"c = sqlite3.connect({str(tmp_path / 'x.db')!r}, isolation_level=None); migrate(c); print(revision_of(c))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(place), capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (HEAD, "")
