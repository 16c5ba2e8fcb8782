"""Which conversation a request goes on with, and where its beginning may be cached.

Law: looked at only where there is a choice and a price for cached tokens. A conversation is known by what its client
calls it, else by how it began; it belongs to one caller and one model.
"""

from collections.abc import Sequence

from conflux.billing.estimate import tokens_of
from conflux.neutral.money import PriceSheet
from conflux.relay.admitted import Admitted
from conflux.relay.opening import name_of
from conflux.relay.parts import Parts
from conflux.relay.snapshot import LiveTarget
from conflux.routing.places import Stay, stays


class Conversation:
    __slots__ = ("_admitted", "_name", "_tokens")

    def __init__(self, name: bytes, admitted: Admitted) -> None:
        self._name = name
        self._admitted = admitted
        self._tokens = tokens_of(admitted.envelope.size)

    def place(
        self, parts: Parts, targets: Sequence[LiveTarget], found: LiveTarget, bucket: int, now: float
    ) -> LiveTarget:
        """Where it was, if staying there costs less than to begin anew at `found`."""
        place = parts.health.places.of(self._name, now)
        if place is None or place.target == found.key:
            return found
        for one in targets:
            if one.key == place.target and parts.health.of(one.key).open(now) and not parts.health.of(one.key).full():
                here, there = self._stay(parts, one, bucket, now), self._stay(parts, found, bucket, now)
                return one if stays(here, there, self._tokens, place.tokens) else found
        return found

    def keep(self, parts: Parts, target: LiveTarget) -> None:
        parts.health.places.keep(self._name, target.key, self._tokens, parts.clock.monotonic())

    def _stay(self, parts: Parts, target: LiveTarget, bucket: int, now: float) -> Stay:
        sheet = _sheet(target, self._admitted)
        wait = parts.health.of(target.key).cost(target.weight, now, bucket)
        fresh = sheet.input or 0
        return Stay(fresh, fresh if sheet.cache_read is None else sheet.cache_read, wait)


def conversation_of(admitted: Admitted) -> Conversation | None:
    """None: nothing is gained by staying anywhere, or it has no beginning."""
    if all(_sheet(one, admitted).cache_read is None for one in admitted.targets):
        return None
    model = admitted.model
    name = name_of(admitted.envelope.body, admitted.caller.key_id, model.storefront, model.id)
    return None if name is None else Conversation(name, admitted)


def _sheet(target: LiveTarget, admitted: Admitted) -> PriceSheet:
    """What the house pays; where that is not known, what the customer does."""
    return target.target.cost or admitted.model.price
