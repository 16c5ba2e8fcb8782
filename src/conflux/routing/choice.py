"""Which target first, which next.

Law: of two different ones taken at random the one that costs less waiting goes first; after a failure the best that is
left, in a large pool the best of a few taken at random. What is ejected is asked by one probe at a time, and only by a
request that others could still answer. Where all are shut, they are asked all the same, a few at a time: a small pool
must not eject itself out of service.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from conflux.routing.health import Health

MOST_ATTEMPTS = 3  # different targets
LARGE = 8  # targets; in a larger pool nobody looks at all of them for a second try
_DRAWS = 4


class Candidate(Protocol):
    @property
    def weight(self) -> int: ...
    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=Candidate)


def pick(
    candidates: Sequence[T],
    health: Callable[[str], Health],
    now: float,
    below: Callable[[int], int],
    *,
    bucket: int = 0,
    tried: Collection[str] = (),
    desperate: bool = True,
) -> T | None:
    """`below(n)` is a random number from 0 to n - 1. `desperate`: also what is shut. None: nothing is left, or what is
    left may not be asked now."""
    many = len(candidates)
    if many > 1 and not tried:
        # The usual case, in the time of two look-ups however large the pool is.
        at = below(many)
        other = below(many - 1)
        if other >= at:
            other += 1
        first, second = candidates[at], candidates[other]
        one, two = health(first.key), health(second.key)
        if one.ready(now, bucket) and two.ready(now, bucket):
            return first if one.cost(first.weight, now, bucket) <= two.cost(second.weight, now, bucket) else second
    elif many == 1:
        only = candidates[0]
        if only.key in tried:
            return None
        one = health(only.key)
        return only if one.open(now) or one.due(now) or (desperate and one.last_resort()) else None
    elif many > LARGE:
        drawn = _drawn(candidates, health, now, below, bucket, tried)
        if drawn is not None:
            return drawn
    found = _searched(candidates, health, now, below, bucket, tried)
    return _shut(candidates, health, tried) if found is None and desperate else found


def _drawn(
    candidates: Sequence[T],
    health: Callable[[str], Health],
    now: float,
    below: Callable[[int], int],
    bucket: int,
    tried: Collection[str],
) -> T | None:
    """The best of a few that nothing is the matter with; None: the draw found hardly any."""
    many = len(candidates)
    found: T | None = None
    least, ready = 0.0, 0
    for place in {below(many) for _ in range(_DRAWS)}:
        one = candidates[place]
        state = health(one.key)
        if one.key in tried or not state.ready(now, bucket):
            continue
        ready += 1
        cost = state.cost(one.weight, now, bucket)
        if found is None or cost < least:
            found, least = one, cost
    return found if ready > 1 else None


def _searched(
    candidates: Sequence[T],
    health: Callable[[str], Health],
    now: float,
    below: Callable[[int], int],
    bucket: int,
    tried: Collection[str],
) -> T | None:
    left = [(one, health(one.key)) for one in candidates if one.key not in tried]
    due = [one for one, state in left if state.due(now)]
    open_ = [(one, state) for one, state in left if state.open(now)]
    if not tried and any(state.ready(now, bucket) for _, state in open_):
        due += [one for one, state in open_ if state.doubted(now, bucket)]
    if due and (not tried or not open_):
        return due[below(len(due))]
    if open_:
        free = [pair for pair in open_ if not pair[1].full()] or open_
        some = [pair for pair in free if not pair[1].silent(now, bucket)] or free
        if len(some) > 2 and not tried:
            at = below(len(some))
            other = below(len(some) - 1)
            some = [some[at], some[other if other < at else other + 1]]
        return min(some, key=lambda pair: pair[1].cost(pair[0].weight, now, bucket))[0]
    return None


def _shut(candidates: Sequence[T], health: Callable[[str], Health], tried: Collection[str]) -> T | None:
    last = [(one, state) for one in candidates if one.key not in tried and (state := health(one.key)).last_resort()]
    if not last:
        return None
    # What was refused or is not listed any more is the last of all.
    return min(last, key=lambda pair: (_given_up(pair[1]), pair[1].ejected_until))[0]


def _given_up(state: Health) -> bool:
    return state.disabled is not None or state.missing is not None
