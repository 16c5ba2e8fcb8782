"""Twin of stores/people.py."""

import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.keys import KeyOrder
from conflux.neutral.people import Owner, UserRow, WorkspaceRow
from conflux.stores.keys import Keys
from conflux.stores.people import People, check_name
from conflux.stores.policies import Policies


@pytest.fixture
def changes() -> list[int]:
    return []


@pytest.fixture
def people(ledger, changes, clock):
    return People(ledger, lambda: changes.append(1), clock)


@pytest.fixture
def keys(ledger, clock):
    return Keys(ledger, b"p" * 32, lambda: None, clock)


def wish(**rest):
    return KeyOrder(**{"prefix": "cf_live_", "storefront": "conflux", "name": "laptop", **rest})


async def names(people):
    return [one.name for one in await people.workspaces()]


async def test_there_is_always_a_default(people, clock):
    (one,) = await people.workspaces()
    assert (one.name, one.enabled, one.users, one.keys) == ("default", True, 1, 0)
    (user,) = await people.users()
    assert one.created == user.created == int(clock())
    assert (user.workspace, user.name, user.role, user.enabled) == ("default", "default", "owner", True)


async def test_a_workspace_and_its_users(people, changes, clock):
    made = await people.create_workspace("acme")
    assert made == WorkspaceRow(id="ws_2", name="acme", enabled=True, users=0, keys=0, created=int(clock()))
    ann = await people.create_user("acme", "ann", "admin")
    assert ann == UserRow(id="user_2", name="ann", workspace="acme", role="admin", enabled=True, keys=0,
                          created=int(clock()))  # fmt: skip
    assert (await people.set_role("acme", "ann", "member")).role == "member"
    assert (await people.set_role("default", "default", "member")).role == "member"
    assert [one.name for one in await people.users("acme")] == ["ann"]
    assert [one.name for one in await people.users()] == ["default", "ann"]
    assert (await people.rename_workspace("acme", "apex")).users == 1
    assert await names(people) == ["default", "apex"]
    assert len(changes) == 5


async def test_a_user_whom_a_key_made_is_a_member(people, keys):
    await keys.create(wish(workspace="acme", user="ann"))
    found = await people.user("acme", "ann")
    assert (found.role, found.keys) == ("member", 1)
    assert (await people.workspace("acme")).keys == 1


async def test_what_is_switched_off_is_shown_so_until_it_is_on_again(people):
    await people.create_workspace("acme")
    await people.create_user("acme", "ann", "member")
    for _ in range(2):
        assert not (await people.open_workspace("acme", enabled=False)).enabled
        assert not (await people.open_user("acme", "ann", enabled=False)).enabled
    assert (await people.workspace("default")).enabled and (await people.user("default", "default")).enabled
    assert (await people.open_workspace("acme", enabled=True)).enabled
    assert (await people.open_user("acme", "ann", enabled=True)).enabled


async def test_what_has_keys_stays(people, keys):
    await keys.create(wish(workspace="acme", user="ann"))
    number, _ = await keys.create(wish(workspace="acme", user="ann"))
    await keys.revoke(number)
    with pytest.raises(ConfigError, match=r"'acme' has 2 keys.*workspaces disable"):
        await people.delete_workspace("acme")
    with pytest.raises(ConfigError, match=r"acme/ann has 2 keys.*users disable"):
        await people.delete_user("acme", "ann")
    assert await names(people) == ["default", "acme"]


async def test_what_is_removed_leaves_nothing_to_whoever_gets_its_number(books, people, kind):
    policies = Policies(books.ledger, lambda: None, books.clock)
    await people.create_workspace("acme")
    first = await people.create_user("acme", "ann", "admin")
    for owner in (Owner(workspace="acme"), Owner(workspace="acme", user="ann")):
        await policies.change(owner, lambda terms: terms)
    await people.open_user("acme", "ann", enabled=False)
    await books.ledger.set_budget("workspace", 2, "day", 5)
    await books.ledger.set_budget("user", 2, "day", 5)
    await people.delete_workspace("acme")
    for table in ("policy", "closed", "budget", "budget_window"):
        assert await books.one(f"SELECT count(*) FROM {table}") == 0
    await people.create_workspace("other")
    again = await people.create_user("other", "bob", "member")
    assert (again.id == first.id, again.enabled, again.role) == (kind == "sqlite", True, "member")
    await people.delete_user("other", "bob")
    assert await people.users("other") == []
    assert books.clean()


async def test_default_stays(people):
    for act in (
        people.delete_workspace("default"),
        people.rename_workspace("default", "x"),
        people.delete_user("default", "default"),
        people.open_workspace("default", enabled=False),
        people.open_user("default", "default", enabled=False),
    ):
        with pytest.raises(ConfigError, match="'default' stays"):
            await act
    await people.create_workspace("acme")
    await people.create_user("acme", "default", "member")
    await people.open_user("acme", "default", enabled=False)
    await people.delete_user("acme", "default")  # another workspace's is a user like any
    # a store of an earlier version may have it switched off: it can be switched on
    assert (await people.open_workspace("default", enabled=True)).enabled
    assert (await people.open_user("default", "default", enabled=True)).enabled


async def test_what_is_not_there_is_told(people):
    for act in (
        people.workspace("no"),
        people.rename_workspace("no", "x"),
        people.open_workspace("no", enabled=False),
        people.delete_workspace("no"),
        people.users("no"),
        people.create_user("no", "ann", "member"),
        people.user("default", "no"),
        people.user("no", "default"),
        people.set_role("default", "no", "member"),
        people.open_user("default", "no", enabled=True),
        people.delete_user("default", "no"),
    ):
        with pytest.raises(NoSuch, match=r"'no'.*(workspaces|users) list"):
            await act


async def test_names_and_roles_that_cannot_be(people):
    await people.create_workspace("acme")
    await people.create_workspace("apex")
    await people.create_user("acme", "ann", "member")
    for act, words in (
        (people.create_workspace("acme"), "already"),
        (people.rename_workspace("apex", "acme"), "already"),
        (people.create_user("acme", "ann", "member"), "already"),
        (people.create_user("acme", "bob", "king"), "'king' is no role: use owner, admin, member"),
        (people.set_role("acme", "ann", ""), "no role"),
        (people.rename_workspace("apex", ""), "needs a name"),
    ):
        with pytest.raises(ConfigError, match=words):
            await act


@pytest.mark.parametrize("name", ["", " ", "a/b", " a", "a ", "a\nb", "x" * 101, "a\x00"])
def test_what_is_no_name(name):
    with pytest.raises(ConfigError, match="name"):
        check_name("user", name)


@pytest.mark.parametrize("name", ["a", "Ann Smith", "ünï", "a@b.c", "x" * 100])
def test_what_is_a_name(name):
    check_name("user", name)
