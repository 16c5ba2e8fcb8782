"""Twin of stores/sessions.py."""

import pytest

from conflux.neutral.errors import NoSuch
from conflux.neutral.keys import KeyOrder
from conflux.stores.key_format import digest
from conflux.stores.keys import Keys, find_caller
from conflux.stores.people import People
from conflux.stores.sessions import Sessions, session_caller, session_number

PEPPER = b"p" * 32


@pytest.fixture
def changes() -> list[int]:
    return []


@pytest.fixture
def sessions(ledger, changes, clock):
    return Sessions(ledger, PEPPER, lambda: changes.append(1), clock)


@pytest.fixture
async def ann(ledger, clock):
    """The number of a user of a workspace."""
    people = People(ledger, lambda: None, clock)
    await people.create_workspace("acme")
    return int((await people.create_user("acme", "ann", "admin")).id.removeprefix("user_"))


async def caller(ledger, secret):
    return await ledger.read(lambda run: session_caller(run, digest(PEPPER, secret)))


async def test_a_session_acts_as_the_users_own_key(ledger, sessions, ann, clock):
    first = await sessions.open(ann, None, "conflux", 60, "a browser")
    second = await sessions.open(ann, None, "conflux", 60, "a browser")
    found, other = await caller(ledger, first), await caller(ledger, second)
    assert (found.workspace, found.user, found.role, found.admin) == ("acme", "ann", "admin", False)
    assert found.key_id == other.key_id and found.session != other.session
    assert found.expires_at == int(clock()) + 60
    assert await ledger.read(lambda run: find_caller(run, digest(PEPPER, first))) is None
    stored = await ledger.read(lambda run: run.execute("SELECT digest, agent FROM web_session").fetchall())
    assert first.encode() not in b"".join(bytes(row[0]) for row in stored)


async def test_an_admins_session_acts_as_its_key_and_lasts_no_longer(ledger, sessions, clock):
    order = KeyOrder(prefix="cf_live_", storefront="conflux", name="a", admin=True, expires_at=int(clock()) + 5)
    key, _ = await Keys(ledger, PEPPER, lambda: None, clock).create(order)
    found = await caller(ledger, await sessions.open(1, int(key.removeprefix("key_")), "conflux", 60, ""))
    assert found.admin and found.expires_at == int(clock()) + 5


async def test_what_was_ended_is_nobody(ledger, sessions, ann, changes):
    secrets = [await sessions.open(ann, None, "conflux", 60, str(n)) for n in range(4)]
    rows = await sessions.rows(user=ann)
    assert [row.agent for row in rows] == ["3", "2", "1", "0"] and len(await sessions.rows(workspace="acme")) == 4
    assert await sessions.rows(user=1) == [] == await sessions.rows(workspace="none")
    numbers = [session_number(row.id) for row in rows]
    assert not await sessions.close(numbers[0], user=1)
    assert await sessions.close(numbers[0], user=ann) and not await sessions.close(numbers[0])
    assert await caller(ledger, secrets[3]) is None
    assert await sessions.close_all(ann, but=numbers[1]) == 2
    assert [row.agent for row in await sessions.rows()] == ["2"]
    assert len(changes) == 8


async def test_one_that_is_over_is_swept_away(ledger, sessions, ann, clock):
    secret = await sessions.open(ann, None, "conflux", 60, "")
    clock.moment += 61
    assert await sessions.rows() == []
    await sessions.open(ann, None, "conflux", 60, "")
    assert await caller(ledger, secret) is None


async def test_a_user_who_is_not_there(sessions):
    with pytest.raises(NoSuch):
        await sessions.open(99, None, "conflux", 60, "")


async def test_a_password_and_what_goes_with_it(ledger, sessions, ann, clock):
    assert await sessions.password("acme", "ann") is None
    secret = await sessions.open(ann, None, "conflux", 60, "")
    await sessions.set_password("acme", "ann", "hash")
    assert await sessions.password("acme", "ann") == (ann, "hash")
    assert await caller(ledger, secret) is None
    people = People(ledger, lambda: None, clock)
    for kind in ("user", "workspace"):
        if kind == "user":
            await people.open_user("acme", "ann", enabled=False)
        else:
            await people.open_workspace("acme", enabled=False)
        assert await sessions.password("acme", "ann") is None
        await people.open_user("acme", "ann", enabled=True)
    await sessions.set_password("acme", "ann", None)
    await people.open_workspace("acme", enabled=True)
    assert await sessions.password("acme", "ann") is None
    with pytest.raises(NoSuch):
        await sessions.set_password("acme", "nobody", "hash")


async def test_failures_shut_a_name_for_longer_and_longer(sessions, clock):
    def wait(name, count):
        return float(count) if count > 1 else 0.0

    assert await sessions.attempt(["user:a"], wait) == 0
    assert await sessions.attempt(["user:a", "from:b"], wait) == 0  # the second: shut for two seconds from now
    assert await sessions.attempt(["from:b", "user:a"], wait) == 2
    assert await sessions.attempt(["from:b"], wait) == 0
    clock.moment += 2
    assert await sessions.attempt(["user:a"], wait) == 0
    assert await sessions.attempt(["user:a"], wait) == 3
    await sessions.forgive("user:a", "from:b")
    assert await sessions.attempt(["user:a"], wait) == 0
    assert await sessions.attempt(["from:b"], wait) == 0
    assert await sessions.attempt(["from:b"], wait) == 2  # what was counted of the address before still is


async def test_a_failure_is_forgotten_after_a_day(sessions, clock):
    for _ in range(3):
        await sessions.attempt(["user:a"], lambda name, count: 0.0)
    clock.moment += 90_000
    counts = []

    def wait(name, count):
        counts.append(count)
        return 0.0

    await sessions.attempt(["user:a"], wait)
    assert counts == [1]


@pytest.mark.parametrize("text", ["", "session_", "session_x", "session_" + "9" * 30, "session_-1", "key_1"])
def test_what_is_no_id(text):
    assert session_number(text) == -1 and session_number("session_12") == 12
