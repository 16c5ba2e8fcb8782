"""Twin of stores/keys.py."""

import pytest

from conflux.neutral.errors import ConfigError, GatewayError, StoreError
from conflux.neutral.keys import KeyOrder
from conflux.neutral.records import Caller, Scope
from conflux.stores.key_format import well_formed
from conflux.stores.key_ring import KeyRing
from conflux.stores.keys import Keys, find_caller
from tests.stores.books import NOON, order

PEPPER = b"p" * 32


@pytest.fixture
def ring(ledger):
    return KeyRing(PEPPER, lambda name: ledger.read(lambda run: find_caller(run, name)))


@pytest.fixture
def keys(ledger, ring, clock):
    return Keys(ledger, PEPPER, ring.changed, clock)


def wish(**rest):
    return KeyOrder(**{"prefix": "cf_live_", "storefront": "conflux", "name": "laptop", **rest})


async def test_a_new_key_is_known_with_everything_it_was_given(keys, ring):
    number, secret = await keys.create(
        wish(workspace="acme", user="ann", admin=True, test=True, agent=True, models=("a", "b"), budget=5,
             expires_at=NOON + 60)
    )  # fmt: skip
    assert secret.startswith("cf_live_") and well_formed(secret)
    assert ring.known(secret) is False
    found = await ring.find(secret)
    assert found == Caller(
        key_id=int(number.removeprefix("key_")),
        name="laptop",
        storefront="conflux",
        workspace_id=2,
        workspace="acme",
        user_id=2,
        user="ann",
        admin=True,
        test=True,
        agent=True,
        models=frozenset({"a", "b"}),
        expires_at=NOON + 60,
        scopes=(Scope("key", 1, "total", 5),),
    )
    assert ring.known(secret) is found


async def test_a_plain_key_belongs_to_default_and_is_counted_without_a_cap(keys, ring):
    _, secret = await keys.create(wish())
    found = await ring.find(secret)
    assert (found.workspace_id, found.workspace, found.user_id, found.user) == (1, "default", 1, "default")
    assert found.models is None and found.expires_at is None and not found.revoked
    assert found.scopes == (Scope("key", 1, "total", None),)


async def test_names_are_made_once_and_users_belong_to_their_workspace(books, keys, ring):
    callers = []
    for workspace, user in (("acme", "ann"), ("acme", "ann"), ("acme", "bob"), ("other", "ann")):
        _, secret = await keys.create(wish(workspace=workspace, user=user))
        callers.append(await ring.find(secret))
    assert [(one.workspace_id, one.user_id) for one in callers] == [(2, 2), (2, 2), (2, 3), (3, 4)]
    for bad in ({"workspace": " "}, {"user": ""}):
        with pytest.raises(ConfigError, match="needs a name"):
            await keys.create(wish(**bad))
    assert await books.one("SELECT count(*) FROM api_key") == 4


async def test_a_secret_is_in_no_file(books, keys, tmp_path):
    """Nor is enough of it to find the rest."""
    _, secret = await keys.create(wish())
    await books.ledger.aclose()
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert secret.encode() not in content and secret[8:-6].encode() not in content
    await books.open()


async def test_revoking_counts_at_once(keys, ring):
    number, secret = await keys.create(wish())
    assert not (await ring.find(secret)).revoked
    assert await keys.revoke(number) is True
    found = await ring.find(secret)
    assert found.revoked
    (row,) = await keys.list()
    assert row.revoked
    assert await keys.revoke(number) is True


@pytest.mark.parametrize("name", ["", "key_", "key_999", "999", "key_x", "key_-1", "key_1.0", "key_" + "9" * 40, "²"])
async def test_revoking_what_is_not_there_is_said(keys, name):
    await keys.create(wish())
    assert await keys.revoke(name) is False
    assert not (await keys.list())[0].revoked


async def test_the_list_shows_spending_and_no_secret(keys, ring, ledger):
    from tests.stores.books import ending

    number, secret = await keys.create(wish(budget=500, models=("a",)))
    caller = await ring.find(secret)
    asked = order(100, caller_key=caller.key_id, scopes=caller.scopes)
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id, 70))
    (row,) = await keys.list()
    assert (row.id, row.name, row.prefix, row.last4) == (number, "laptop", "cf_live_", secret[-4:])
    assert (row.budget, row.spent, row.models, row.created) == (500, 70, ["a"], NOON)
    assert (row.admin, row.test, row.agent, row.revoked, row.expires_at) == (False, False, False, False, None)


async def test_a_key_budget_is_a_lifetime_cap(keys, ring, ledger):
    _, secret = await keys.create(wish(budget=100))
    caller = await ring.find(secret)
    await ledger.reserve(order(60, caller_key=caller.key_id, scopes=caller.scopes))
    with pytest.raises(GatewayError, match="total budget of this key"):
        await ledger.reserve(order(60, caller_key=caller.key_id, scopes=caller.scopes))


async def test_a_callers_scopes_are_those_it_may_see(keys, ring, ledger):
    _, secret = await keys.create(wish(budget=100))
    scopes = {
        await ledger.set_budget("user", 1, "week", 5),
        await ledger.set_budget("workspace", 1, "month", None),
        await ledger.set_budget("key", 1, "day", 8),
    }
    await ledger.set_budget("storefront", "conflux", "day", 7)
    await ledger.set_budget("storefront", "inference", "day", 7)
    await ledger.set_budget("user", 2, "day", 7)
    ring.changed()
    caller = await ring.find(secret)
    assert set(caller.scopes) == scopes | {Scope("key", 1, "total", 100)}
    assert list(caller.scopes) == sorted(caller.scopes, key=lambda one: (one.kind, one.id, one.window))


async def test_a_prefix_that_cannot_be_is_refused(keys):
    with pytest.raises(ValueError, match="cannot begin"):
        await keys.create(wish(prefix=""))


async def test_a_closed_store_makes_no_keys(keys, ledger):
    await ledger.aclose()
    with pytest.raises(StoreError):
        await keys.create(wish())
