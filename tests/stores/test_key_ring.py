"""Twin of stores/key_ring.py."""

import asyncio

import pytest

from conflux.neutral.records import Caller
from conflux.stores.key_format import digest, new_secret
from conflux.stores.key_ring import KeyRing

PEPPER = b"p" * 32


class Source:
    """A store of keys that counts how often it is asked, and can be held up."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Caller] = {}
        self.asked = 0
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()

    def add(self, **rest) -> str:
        secret = new_secret("cf_live_")
        self.rows[digest(PEPPER, secret)] = _caller(len(self.rows) + 1, **rest)
        return secret

    async def __call__(self, name: bytes) -> Caller | None:
        self.asked += 1
        found = self.rows.get(name)
        if self.gate is not None:
            self.reached.set()
            await self.gate.wait()
        return found


def _caller(number: int, **rest) -> Caller:
    return Caller(key_id=number, name="n", storefront="conflux", workspace_id=1, workspace="default", user_id=1,
                  user="default", **rest)  # fmt: skip


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def ring(source):
    return KeyRing(PEPPER, source, kept=3, bad_kept=2)


async def test_a_key_is_asked_for_once(ring, source):
    secret = source.add()
    assert ring.known(secret) is False
    found = await ring.find(secret)
    assert found is not None and found.key_id == 1
    assert ring.known(secret) is found
    assert await ring.find(secret) is found
    assert source.asked == 1


async def test_a_bad_checksum_costs_no_look_up(ring, source):
    secret = source.add()
    for wrong in (secret[:-1] + ("a" if secret[-1] != "a" else "b"), "", "cf_live_", "\ud800", "sk-proj-x" * 20):
        assert ring.known(wrong) is None
        assert await ring.find(wrong) is None
    assert source.asked == 0


async def test_an_unknown_key_is_remembered_as_bad(ring, source):
    secret = new_secret("cf_live_")
    assert await ring.find(secret) is None
    assert ring.known(secret) is None
    assert await ring.find(secret) is None
    assert source.asked == 1


async def test_guessing_pushes_out_no_good_key(ring, source):
    secret = source.add()
    await ring.find(secret)
    for _ in range(20):
        await ring.find(new_secret("cf_live_"))
    assert isinstance(ring.known(secret), Caller)
    assert len(ring._bad) == 2


async def test_the_key_used_longest_ago_is_forgotten_first(ring, source):
    secrets = [source.add() for _ in range(4)]
    for secret in secrets[:3]:
        await ring.find(secret)
    ring.known(secrets[0])
    await ring.find(secrets[3])
    assert ring.known(secrets[1]) is False
    assert all(isinstance(ring.known(secrets[n]), Caller) for n in (0, 2, 3))


async def test_a_change_counts_at_once(ring, source):
    secret = source.add()
    await ring.find(secret)
    name = digest(PEPPER, secret)
    source.rows[name] = _caller(1, revoked=True)
    ring.changed()
    found = await ring.find(secret)
    assert found is not None and found.revoked


async def test_a_read_that_was_under_way_during_a_change_is_not_believed(ring, source):
    secret = source.add()
    source.gate = asyncio.Event()
    reading = asyncio.create_task(ring.find(secret))
    await source.reached.wait()
    source.rows[digest(PEPPER, secret)] = _caller(1, revoked=True)
    ring.changed()
    source.gate.set()
    found = await reading
    assert found is not None and found.revoked
    known = ring.known(secret)
    assert isinstance(known, Caller) and known.revoked


async def test_a_key_made_while_it_was_looked_for_is_found(ring, source):
    secret = source.add()
    row = source.rows.pop(digest(PEPPER, secret))
    source.gate = asyncio.Event()
    reading = asyncio.create_task(ring.find(secret))
    await source.reached.wait()
    source.rows[digest(PEPPER, secret)] = row
    ring.changed()
    source.gate.set()
    assert await reading == row
