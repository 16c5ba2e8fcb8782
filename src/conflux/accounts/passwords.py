"""Passwords: Argon2id, and how long one waits who guesses.

Law: hashing takes memory and time on purpose, so it is done beside the loop, a few at once. A user who is not there
costs what a wrong password costs. The library is loaded with the first password.
"""

import asyncio
from functools import cache
from typing import TYPE_CHECKING

from conflux.neutral.errors import ConfigError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 256
AT_ONCE = 2
WAITING_MOST = 32  # more than these wait nowhere: they are told to come again

_FREE = {"user": 5, "from": 50}  # failures without a wait: a slip of the hand, an office behind one address
_MOST_SECONDS = {"user": 900.0, "from": 60.0}


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def check_password(password: str) -> None:
    """Raises ConfigError for one that cannot be taken."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError([f"a password has {SHORTEST} to {LONGEST} characters"])


def hash_password(password: str) -> str:
    check_password(password)
    return _hasher().hash(password)


def verify(hashed: str | None, password: str) -> bool:
    """`hashed`: None for a user who is not there, or has none."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(hashed if hashed is not None else _nobody(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def wait_after(name: str, failures: int) -> float:
    """Seconds for which a name is shut after so many failures: it doubles with each."""
    kind = name.partition(":")[0]
    over = failures - _FREE[kind]
    return 0.0 if over < 0 else min(2.0 ** min(over, 20), _MOST_SECONDS[kind])


class Busy(Exception):
    """Too many passwords wait to be looked at."""


class Verifier:
    """A few at once, the others in line."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def verify(self, hashed: str | None, password: str) -> bool:
        if self._waiting >= WAITING_MOST:
            raise Busy
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.to_thread(verify, hashed, password)
        finally:
            self._waiting -= 1
