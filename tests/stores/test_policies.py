"""Twin of stores/policies.py."""

import msgspec
import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.keys import KeyOrder
from conflux.neutral.people import Owner, PolicyRow, Status
from conflux.neutral.policies import Override, Terms
from conflux.stores.key_ring import KeyRing
from conflux.stores.keys import Keys, caller_by_id, find_caller
from conflux.stores.people import People
from conflux.stores.policies import Policies

PEPPER = b"p" * 32
ACME, ANN = Owner(workspace="acme"), Owner(workspace="acme", user="ann")


@pytest.fixture
def ring(ledger):
    return KeyRing(PEPPER, lambda name: ledger.read(lambda run: find_caller(run, name)))


@pytest.fixture
def policies(ledger, ring, clock):
    return Policies(ledger, ring.changed, clock)


@pytest.fixture
async def key(ledger, ring, clock):
    """A key's id and secret, of ann in acme."""
    order = KeyOrder(prefix="cf_live_", storefront="conflux", name="laptop", workspace="acme", user="ann")
    return await Keys(ledger, PEPPER, ring.changed, clock).create(order)


def put(**fields):
    return lambda terms: msgspec.structs.replace(terms, **fields)


async def test_a_callers_policies_are_its_workspaces_its_users_and_its_keys(policies, ring, key):
    number, secret = key
    await policies.change(Owner(key=number), put(concurrent=1))
    await policies.change(ANN, put(allow=("c/*",)))
    await policies.change(ACME, put(deny=("c/x",), overrides=(Override(models=("*",), action="deny"),)))
    await policies.change(Owner(), put(deny=("*",)))  # somebody else's
    found = await ring.find(secret)
    assert [(one.kind, one.owner_id) for one in found.policies] == [("workspace", 2), ("user", 2), ("key", 1)]
    assert found.policies[0].terms == Terms(deny=("c/x",), overrides=(Override(models=("*",), action="deny"),))
    assert (found.limited, found.overridden) == (True, True)


async def test_a_change_is_known_to_the_next_request(policies, ring, key):
    _, secret = key
    before = await ring.find(secret)
    assert before.policies == () and ring.known(secret) is before
    await policies.change(ACME, put(deny=("x",)))
    assert ring.known(secret) is False
    assert (await ring.find(secret)).policies[0].terms.deny == ("x",)
    await policies.enable(ACME, enabled=False)
    assert (await ring.find(secret)).policies == ()
    await policies.enable(ACME, enabled=True)
    assert (await ring.find(secret)).policies[0].terms.deny == ("x",)
    await policies.delete(ACME)
    assert (await ring.find(secret)).policies == ()


async def test_a_closed_workspace_or_user_closes_its_keys_at_once(ledger, ring, key, clock):
    people = People(ledger, ring.changed, clock)
    _, secret = key
    for close, name in ((lambda on: people.open_workspace("acme", enabled=on), "workspace"),
                        (lambda on: people.open_user("acme", "ann", enabled=on), "user")):  # fmt: skip
        await close(False)
        assert (await ring.find(secret)).closed == name
        await close(True)
        assert (await ring.find(secret)).closed is None
    await people.set_role("acme", "ann", "admin")
    assert (await ring.find(secret)).role == "admin"


async def test_rows_say_whose_they_are(policies, key, clock):
    for owner in (Owner(), ANN, Owner(key=key[0])):
        await policies.change(owner, put(deny=("x",)))
    rows = await policies.rows()
    assert [(row.id, row.kind, row.owner) for row in rows] == [
        ("pol_1", "workspace", "default"),
        ("pol_2", "user", "acme/ann"),
        ("pol_3", "key", "key_1"),
    ]
    assert await policies.show(ANN) == PolicyRow(
        id="pol_2", kind="user", owner="acme/ann", enabled=True, terms=Terms(deny=("x",)), changed=int(clock())
    )


async def test_it_is_changed_from_what_it_is(policies):
    await policies.change(Owner(), put(deny=("x",)))
    row = await policies.change(Owner(), put(concurrent=3))
    assert row.terms == Terms(deny=("x",), concurrent=3)
    assert len(await policies.rows()) == 1

    def refuse(terms):
        raise ConfigError(["no"])

    with pytest.raises(ConfigError):
        await policies.change(Owner(), refuse)
    assert (await policies.show(Owner())).terms == row.terms


async def test_what_is_switched_off_stays_off_when_it_is_changed(policies):
    await policies.change(Owner(), put(deny=("x",)))
    await policies.enable(Owner(), enabled=False)
    assert not (await policies.change(Owner(), put(deny=("y",)))).enabled


@pytest.mark.parametrize(
    "owner",
    [Owner(workspace="no"), Owner(user="no"), Owner(key="no"), Owner(key="key_99"), Owner(workspace="no", user="a")],
)
async def test_whose_is_not_there_is_told(policies, owner):
    for act in (policies.change(owner, put()), policies.show(owner), policies.enable(owner, enabled=True),
                policies.delete(owner)):  # fmt: skip
        with pytest.raises(NoSuch, match="list` shows them"):
            await act


async def test_an_owner_without_a_policy_has_none_to_show(policies):
    for act in (policies.show(Owner()), policies.enable(Owner(), enabled=True), policies.delete(Owner())):
        with pytest.raises(NoSuch, match="workspace default has no policy"):
            await act


async def test_models_switched_on_and_off(policies, clock):
    assert await policies.statuses() == []
    for model, enabled in (("b", False), ("a", True), ("b", True), ("a", False)):
        await policies.set_status("conflux", model, enabled=enabled)
    when = int(clock())
    assert await policies.statuses() == [
        Status(storefront="conflux", model="a", enabled=False, changed=when),
        Status(storefront="conflux", model="b", enabled=True, changed=when),
    ]


async def test_an_admin_may_ask_what_a_key_makes_of_its_holder(ledger, policies, ring, key):
    number, secret = key
    await policies.change(ACME, put(deny=("x",)))
    assert await ledger.read(lambda run: caller_by_id(run, number)) == await ring.find(secret)
    assert await ledger.read(lambda run: caller_by_id(run, "key_9")) is None
