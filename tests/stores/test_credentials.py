"""Twin of stores/credentials.py."""

import pytest

from conflux.accounts.keyfile import SealingKey
from conflux.accounts.sealing import Sealer, SealError
from conflux.neutral.errors import NoSuch
from conflux.stores.credentials import Credentials, place_of

SECRET = "sk-canary-0123456789"
SEALER = Sealer((SealingKey(1, b"k" * 32),))


async def test_what_is_stored_opens_in_its_own_row_alone(ledger, clock):
    credentials = Credentials(ledger, clock)
    first = await credentials.add("openai", "main", SECRET, "ann", SEALER.seal)
    second = await credentials.add("openai", "", "short", "ann", SEALER.seal)
    assert (first.id, first.last4, second.last4) == ("cred_1", "6789", "")
    assert SEALER.open(place_of(first.number), first.sealed).decode() == SECRET
    with pytest.raises(SealError):
        SEALER.open(place_of(second.number), first.sealed)
    assert SECRET not in repr(first) and SECRET.encode() not in first.sealed
    assert [row.id for row in await credentials.rows()] == ["cred_1", "cred_2"]


async def test_one_that_is_removed_is_gone(ledger, clock):
    credentials = Credentials(ledger, clock)
    await credentials.add("openai", "", SECRET, "ann", SEALER.seal)
    await credentials.remove("cred_1")
    assert await credentials.rows() == []
    for name in ("cred_1", "cred_x", "", "cred_" + "9" * 40):
        with pytest.raises(NoSuch):
            await credentials.remove(name)
