"""Twin of accounts/passwords.py."""

import asyncio

import pytest

from conflux.accounts import passwords
from conflux.accounts.passwords import Busy, Verifier, check_password, hash_password, verify, wait_after
from conflux.neutral.errors import ConfigError


def test_a_password_is_known_again_and_no_other() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$") and "correct" not in hashed
    assert hash_password("correct horse") != hashed
    assert verify(hashed, "correct horse") and not verify(hashed, "correct horsf")


def test_nobody_has_a_password() -> None:
    assert not verify(None, "nobody has this password")
    assert not verify("no hash", "correct horse")


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_what_cannot_be_one(password: str) -> None:
    with pytest.raises(ConfigError):
        check_password(password)


def test_a_wait_for_each_kind_of_name() -> None:
    assert wait_after("user:a", 10**9) == 900 and wait_after("from:a", 10**9) == 60


async def test_a_few_at_once_and_not_too_many_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, at_once, most = asyncio.Event(), 0, 0

    async def slow(*_: object) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await gate.wait()
        at_once -= 1
        return True

    monkeypatch.setattr("conflux.accounts.passwords.asyncio.to_thread", slow)
    verifier = Verifier()
    tasks = [asyncio.create_task(verifier.verify(None, "x")) for _ in range(passwords.WAITING_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await verifier.verify(None, "x")
    gate.set()
    assert all(await asyncio.gather(*tasks)) and most == passwords.AT_ONCE
