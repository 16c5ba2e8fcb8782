"""Which target first, which next.

Law: of two taken at random the one that costs less waiting goes first; the rest follow by the same measure. Ejected
ones come last, and are tried only when nothing else is left: a small pool must not eject itself out of service.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from conflux.routing.health import Health

MOST_ATTEMPTS = 3


class Candidate(Protocol):
    @property
    def weight(self) -> int: ...
    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=Candidate)


def order(candidates: Sequence[T], health: Callable[[str], Health], now: float, below: Callable[[int], int]) -> list[T]:
    """At most MOST_ATTEMPTS candidates in the order to try. `below(n)` is a random number from 0 to n - 1."""
    if len(candidates) == 1:
        return list(candidates)
    waiting = {id(one): health(one.key).cost(one.weight) for one in candidates}
    open_ = [one for one in candidates if health(one.key).open(now)]
    shut = [one for one in candidates if not health(one.key).open(now)]
    ranked: list[T] = []
    if open_:
        first = open_[below(len(open_))]
        second = open_[below(len(open_))]
        ranked.append(min(first, second, key=lambda one: waiting[id(one)]))
        ranked += sorted((one for one in open_ if one is not ranked[0]), key=lambda one: waiting[id(one)])
    ranked += sorted(shut, key=lambda one: health(one.key).ejected_until)
    return ranked[:MOST_ATTEMPTS]
