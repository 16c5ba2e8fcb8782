"""Twin of stores/opening.py."""

import asyncio
import shutil

import pytest

from conflux.neutral.errors import ConfigError, StoreError
from conflux.neutral.keys import KeyOrder
from conflux.neutral.ledger import new_request_id
from conflux.stores.data_dir import InUse
from conflux.stores.opening import Spent, open_shared, open_store, reach, verify_file, verify_url
from tests.stores.books import NOON, Clock, ending, order

WISH = KeyOrder(prefix="cf_live_", storefront="conflux", name="n", budget=1000)


async def test_a_store_is_whole_when_it_is_open(tmp_path):
    store = open_store(tmp_path / "data", Clock())
    assert (await store.recover()).requests == 0
    assert store.trouble is None
    _, secret = await store.key_admin.create(WISH)
    caller = await store.keys.find(secret)
    assert caller is not None
    asked = order(100, request_id=new_request_id(NOON, 0), caller_key=caller.key_id, scopes=caller.scopes)
    await store.ledger.reserve(asked)
    assert await store.spending(caller) == [Spent("key", "total", 0, 100, 1000)]
    await store.ledger.settle(ending(asked.request_id, 60))
    assert await store.spending(caller) == [Spent("key", "total", 60, 0, 1000)]
    counts = await store.verify()
    assert counts["checked_requests"] == 1 and not any(n for name, n in counts.items() if not name.startswith("check"))
    assert verify_file(tmp_path / "data") == counts
    await store.aclose()
    assert verify_file(tmp_path / "data") == counts


async def test_keys_and_requests_outlive_the_process(tmp_path):
    store = open_store(tmp_path, Clock())
    _, secret = await store.key_admin.create(WISH)
    await store.ledger.reserve(order(100))
    await store.aclose()
    store = open_store(tmp_path, Clock())
    assert (await store.recover()).requests == 1
    assert await store.keys.find(secret) is not None
    await store.aclose()


async def test_an_open_store_is_nobody_elses(tmp_path):
    store = open_store(tmp_path)
    with pytest.raises(InUse):
        open_store(tmp_path)
    await store.aclose()
    await open_store(tmp_path).aclose()


async def test_a_store_that_cannot_be_opened_lets_go_of_its_lock(tmp_path):
    await open_store(tmp_path).aclose()
    good = (tmp_path / "conflux.db").read_bytes()
    (tmp_path / "conflux.db").write_text("no database " * 500)
    with pytest.raises(StoreError):
        open_store(tmp_path)
    (tmp_path / "conflux.db").write_bytes(good)
    await open_store(tmp_path).aclose()


async def test_a_budget_that_changes_is_known_to_callers_at_once(tmp_path):
    store = open_store(tmp_path)
    _, secret = await store.key_admin.create(WISH)
    await store.keys.find(secret)
    await store.set_budget("key", 1, "day", 77)
    caller = await store.keys.find(secret)
    assert caller is not None and [one.cap for one in caller.scopes] == [77, 1000]
    await store.aclose()


@pytest.fixture
async def nodes(tmp_path, postgres_url):
    """Two gateways' stores on one database, the second with a copy of the first one's secrets."""
    first = await open_shared(tmp_path / "one", postgres_url, Clock())
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "pepper", tmp_path / "two")
    second = await open_shared(tmp_path / "two", postgres_url, Clock())
    for one in (first, second):
        await one.recover()
    yield first, second
    for one in (first, second):
        await one.aclose()


async def test_a_key_is_known_on_all_nodes_and_its_end_is_heard_of(nodes, postgres_url):
    first, second = nodes
    heard = asyncio.Event()
    number, secret = await first.key_admin.create(WISH)
    caller = await second.keys.find(secret)
    assert caller is not None and not caller.revoked
    second.heard = heard.set
    await first.key_admin.revoke(number)
    assert (await first.keys.find(secret)).revoked  # at once, where it was done
    await asyncio.wait_for(heard.wait(), 5)
    assert (await second.keys.find(secret)).revoked
    counts = await first.verify()
    assert counts == (await verify_url(postgres_url)).counts()


async def test_a_look_at_the_server_says_what_it_is(postgres_url):
    assert (await reach(postgres_url)).startswith("PostgreSQL ")
    with pytest.raises(StoreError, match="cannot be opened"):
        await reach("postgresql://nobody@127.0.0.1:1/none")


async def test_a_node_with_another_pepper_is_refused(tmp_path, nodes, postgres_url):
    with pytest.raises(ConfigError, match="is not the pepper of this database"):
        await open_shared(tmp_path / "three", postgres_url)
    with pytest.raises(InUse):
        await open_shared(tmp_path / "two", postgres_url)
    (tmp_path / "three" / "pepper").unlink()
    shutil.copy(tmp_path / "one" / "pepper", tmp_path / "three")
    await (await open_shared(tmp_path / "three", postgres_url)).aclose()  # the lock was let go
