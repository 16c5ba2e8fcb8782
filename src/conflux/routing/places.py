"""Where conversations have been answered, and whether it pays to stay there.

Law: a conversation stays on its target while what the target has cached of it saves more than the waiting costs. A
place not used for ten minutes is forgotten, as providers forget their caches. Money is whole nano-USD.
"""

from typing import NamedTuple

IDLE = 600.0  # seconds
MOST = 50_000  # conversations remembered
SECOND = 1_000_000  # nano-USD that a second of waiting is worth


class Place(NamedTuple):
    target: str
    tokens: int  # of the conversation when it was there last: what may be cached
    seen: float


class Places:
    """By conversation, the latest last."""

    def __init__(self) -> None:
        self._found: dict[bytes, Place] = {}

    def __len__(self) -> int:
        return len(self._found)

    def of(self, conversation: bytes, now: float) -> Place | None:
        found = self._found.get(conversation)
        if found is None:
            return None
        if now - found.seen > IDLE:
            del self._found[conversation]
            return None
        return found

    def keep(self, conversation: bytes, target: str, tokens: int, now: float) -> None:
        found = self._found
        found.pop(conversation, None)
        found[conversation] = Place(target, tokens, now)
        if len(found) > MOST:
            del found[next(iter(found))]


class Stay(NamedTuple):
    """What one target would take for a conversation's input: pico-USD a token, and seconds of waiting."""

    fresh: int
    cached: int
    wait: float


def stays(here: Stay, there: Stay, tokens: int, cached: int) -> bool:
    """`cached` of the conversation's `tokens` were seen here; there, none of it."""
    known = min(cached, tokens)
    cost_here = (known * here.cached + (tokens - known) * here.fresh) // 1000 + int(here.wait * SECOND)
    return cost_here <= tokens * there.fresh // 1000 + int(there.wait * SECOND)
