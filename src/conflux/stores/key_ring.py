"""Keys in memory.

Law: found by a keyed hash of the whole key, never by a part of it; the key itself is not kept. What is remembered is
bounded, the bad ones apart from the good, so that guessing pushes out nobody. A change of keys empties the memory at
once, also for a read that was under way while it happened.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from conflux.neutral.records import Caller
from conflux.stores.key_format import digest, well_formed

_KEPT = 10_000
_BAD_KEPT = 10_000

Find = Callable[[bytes], Awaitable[Caller | None]]


class KeyRing:
    """Implements ports.KeyBook over a store's way to find a key by its digest."""

    def __init__(self, pepper: bytes, find: Find, *, kept: int = _KEPT, bad_kept: int = _BAD_KEPT) -> None:
        self._pepper = pepper
        self._begun = blake2b(key=pepper)
        self._find = find
        self._kept = kept
        self._bad_kept = bad_kept
        self._good: OrderedDict[bytes, Caller] = OrderedDict()
        self._bad: OrderedDict[bytes, None] = OrderedDict()
        self._changes = 0

    def _name(self, secret: str) -> bytes:
        """Not the stored hash: this one is made for every request, at a third of the cost."""
        name = self._begun.copy()  # what the pepper makes of it is the same each time
        name.update(secret.encode())
        return name.digest()

    def known(self, secret: str) -> Caller | bool | None:
        try:
            name = self._name(secret)
        except UnicodeEncodeError:
            return None
        found = self._good.get(name)
        if found is not None:
            self._good.move_to_end(name)
            return found
        if name in self._bad or not well_formed(secret):
            return None
        return False

    async def find(self, secret: str) -> Caller | None:
        known = self.known(secret)
        if not isinstance(known, bool):
            return known
        name = self._name(secret)
        changes = self._changes
        found = await self._find(digest(self._pepper, secret))
        if changes != self._changes:
            # A key was made or revoked meanwhile, and the answer may be from before.
            return await self.find(secret)
        if found is None:
            self._bad[name] = None
            if len(self._bad) > self._bad_kept:
                self._bad.popitem(last=False)
        else:
            self._good[name] = found
            if len(self._good) > self._kept:
                self._good.popitem(last=False)
        return found

    def changed(self) -> None:
        """Keys or budgets were changed: ask the store again."""
        self._changes += 1
        self._good.clear()
        self._bad.clear()
