"""Twin of stores/backup.py: whole copies under load, and back again."""

import asyncio
import io
import os
import tarfile

import pytest

from conflux.neutral.errors import ConfigError, StoreError
from conflux.stores import backup as module
from conflux.stores.backup import backup, restore
from conflux.stores.data_dir import DATABASE, PEPPER, InUse
from conflux.stores.opening import open_store
from conflux.stores.sqlite_verify import verify
from tests.stores.books import full_ending, order


async def settle(store):
    one = order(100)
    await store.ledger.reserve(one)
    await store.ledger.settle(full_ending(one.request_id))
    return one.request_id


async def filled(path):
    """A data directory with one settled request in it, closed."""
    store = open_store(path)
    number = await settle(store)
    await store.aclose()
    return number


async def test_there_and_back(tmp_path):
    number = await filled(tmp_path / "a")
    (tmp_path / "a" / "encryption.key").write_text("1 " + "0" * 64)
    backup(tmp_path / "a", tmp_path / "x.tar")
    assert (tmp_path / "x.tar").stat().st_mode & 0o777 == 0o600
    assert restore(tmp_path / "b", tmp_path / "x.tar") is None
    for name in (PEPPER, "encryption.key"):
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()
        assert (tmp_path / "b" / name).stat().st_mode & 0o777 == 0o600
    store = open_store(tmp_path / "b")
    found = await store.ledger.receipt(number)
    await store.aclose()
    assert found is not None and found.cost == 90
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "x.tar"]
    assert not [path for path in (tmp_path / "b").iterdir() if path.is_dir()]


async def test_beside_a_server_that_writes_the_copy_is_one_moment(tmp_path, monkeypatch):
    """Copied in the smallest steps, while others settle: books that hold, and all that was settled before it began."""
    monkeypatch.setattr(module, "_PAGES", 1)
    store = open_store(tmp_path / "a")
    before = [await settle(store) for _ in range(20)]
    done = asyncio.Event()
    written = 0

    async def write():
        nonlocal written
        while not done.is_set():
            await settle(store)
            written += 1

    writers = [asyncio.create_task(write()) for _ in range(4)]
    seen = []
    await asyncio.to_thread(backup, tmp_path / "a", tmp_path / "x.tar", lambda did, total: seen.append((did, total)))
    done.set()
    await asyncio.gather(*writers)
    await store.aclose()
    restore(tmp_path / "b", tmp_path / "x.tar")
    report = verify(tmp_path / "b" / DATABASE)
    assert report.ok and report.checked_requests >= len(before)
    assert seen[-1][0] == seen[-1][1] and len({total for _, total in seen}) == 1
    assert written > 0


async def test_a_restore_beside_a_server_is_refused(tmp_path):
    await filled(tmp_path / "a")
    backup(tmp_path / "a", tmp_path / "x.tar")
    store = open_store(tmp_path / "a")
    with pytest.raises(InUse):
        restore(tmp_path / "a", tmp_path / "x.tar", force=True)
    await store.aclose()


async def test_a_database_that_is_there_is_put_aside_only_when_told(tmp_path):
    await filled(tmp_path / "a")
    backup(tmp_path / "a", tmp_path / "x.tar")
    await filled(tmp_path / "a")
    with pytest.raises(ConfigError, match="--force"):
        restore(tmp_path / "a", tmp_path / "x.tar")
    aside = restore(tmp_path / "a", tmp_path / "x.tar", force=True)
    assert verify(tmp_path / "a" / DATABASE).checked_requests == 1
    assert aside is not None and verify(aside / DATABASE).checked_requests == 2


async def test_a_file_that_is_there_is_kept_unless_told(tmp_path):
    await filled(tmp_path / "a")
    (tmp_path / "x.tar").write_text("mine")
    with pytest.raises(ConfigError, match="already"):
        backup(tmp_path / "a", tmp_path / "x.tar")
    assert (tmp_path / "x.tar").read_text() == "mine"
    backup(tmp_path / "a", tmp_path / "x.tar", force=True)
    assert tarfile.is_tarfile(tmp_path / "x.tar")


async def test_books_that_do_not_hold_make_no_backup(tmp_path):
    await filled(tmp_path / "a")
    store = open_store(tmp_path / "a")
    await store.ledger.write(lambda run: run.execute("UPDATE usage_day SET cost = 1").rowcount)
    with pytest.raises(StoreError, match="usage_drifted"):
        backup(tmp_path / "a", tmp_path / "x.tar")
    await store.aclose()
    assert not (tmp_path / "x.tar").exists()


def test_without_a_database_there_is_nothing_to_copy(tmp_path):
    with pytest.raises(ConfigError, match="no gateway's data"):
        backup(tmp_path, tmp_path / "x.tar")


def _tar(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", b"x")],
        [(DATABASE, b"x"), (PEPPER, b"x"), ("more", b"x")],
        [(PEPPER, b"x"), (PEPPER, b"y"), (DATABASE, b"x")],
        [(DATABASE, b"x")],
        [(PEPPER, b"x")],
        [(DATABASE, b"not a database" * 100), (PEPPER, b"x")],
        [],
    ],
)
def test_what_is_no_backup_changes_nothing(tmp_path, members):
    _tar(tmp_path / "x.tar", *members)
    with pytest.raises((ConfigError, StoreError)):
        restore(tmp_path / "b", tmp_path / "x.tar")
    assert os.listdir(tmp_path / "b") == ["lock"]
    assert not (tmp_path / "evil").exists()


async def test_one_cut_short_is_refused(tmp_path):
    await filled(tmp_path / "a")
    backup(tmp_path / "a", tmp_path / "x.tar")
    whole = (tmp_path / "x.tar").read_bytes()
    (tmp_path / "y.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises((ConfigError, StoreError)):
        restore(tmp_path / "b", tmp_path / "y.tar")
    assert os.listdir(tmp_path / "b") == ["lock"]
