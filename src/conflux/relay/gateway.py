"""The gate: each request gets a passage of its own.

Law: nothing of a request is kept here. How one goes is course.py's and passage.py's.
"""

import itertools
from collections.abc import Coroutine
from typing import Any

from conflux.neutral.errors import invalid
from conflux.neutral.ledger import ID_CHANCES
from conflux.neutral.records import Storefront
from conflux.relay.admit import count
from conflux.relay.once import OncePassage
from conflux.relay.parts import Exchange, Incoming, Parts
from conflux.relay.passage import Passage


class Gateway:
    """One per process: holds the collaborators, makes a Passage per request."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        # Random low bits would meet within a millisecond every minute or so at full load; a count never does. It
        # starts anywhere and walks all values in odd steps, so an id does not tell how many requests there were.
        self._count = itertools.count(parts.below(ID_CHANCES))
        self._step = parts.below(ID_CHANCES) | 1

    async def count(self, incoming: Incoming) -> tuple[Storefront, int]:
        return await count(self.parts, incoming)

    def generate(self, incoming: Incoming, exchange: Exchange) -> Coroutine[Any, Any, None]:
        """To be awaited: what each await of a request passes through on its way in and out is paid for."""
        chance = next(self._count) * self._step % ID_CHANCES
        if incoming.once is None:
            return Passage(self.parts, incoming, exchange, chance).run()
        if self.parts.answers is None:
            raise invalid("Idempotency-Key: this gateway keeps no answers: leave the header out", "idempotency-key")
        return OncePassage(self.parts, self.parts.answers, incoming, exchange, chance).run()
