"""Who sits on a panel where nobody says.

Law: pure, in one unit: dollars. A seat costs what such a request costs by its model's prices, and what is lost by its
quality: what the catalogue states of the model, else what its tier promises for hard work. The smallest sum goes first.
A panel takes models of different makes as long as there are some, and never one target's pool twice: the quality of a
panel matters more than its variety, but two of one make err alike. What may sit at all was decided before.
"""

from collections.abc import Iterable
from typing import NamedTuple

from conflux.neutral.records import FluxRole, Model
from conflux.routing.families import family
from conflux.routing.tasks import TASKS, expected_quality

_HARD = TASKS["deep_reasoning"]  # who wants a panel wants that
_WORTH = 36_000_000  # nano-USD between a useless draft and a perfect one
_UNKNOWN = 0.25  # of a model of no tier
_FUSER_WEIGHT = 3  # the judge decides what is made of all drafts


class Seat(NamedTuple):
    model: Model
    cost: int  # nano-USD, about
    ready: bool = True  # something of it can be asked now


def may_draft(model: Model) -> bool:
    return model.role in (FluxRole.SOURCE, FluxRole.BOTH)


def may_fuse(model: Model) -> bool:
    return model.role in (FluxRole.FUSE, FluxRole.BOTH)


def choose_sources(seats: Iterable[Seat], count: int) -> tuple[Model, ...]:
    order = _ranked((one for one in seats if may_draft(one.model)), weight=1)
    chosen: list[Model] = []
    makes: set[str] = set()
    for model in order:
        if family(model.id) not in makes and len(chosen) < count:
            makes.add(family(model.id))
            chosen.append(model)
    pools = {model.pool for model in chosen}
    for model in order:
        if model.pool not in pools and len(chosen) < count:
            pools.add(model.pool)
            chosen.append(model)
    return tuple(chosen)


def choose_fuser(seats: Iterable[Seat]) -> Model | None:
    order = _ranked((one for one in seats if may_fuse(one.model)), weight=_FUSER_WEIGHT)
    return order[0] if order else None


def best_first(models: Iterable[Model]) -> list[int]:
    """Places of models, the best one's first: whose draft stands where nobody fuses."""
    found = list(models)
    return sorted(range(len(found)), key=lambda place: (_lost(found[place]), place))


def _lost(model: Model) -> int:
    """Nano-USD that a draft of it is worth less than a perfect one."""
    known = model.tier is not None or model.quality is not None
    return int(_WORTH * (1 - (expected_quality(_HARD, model) if known else _UNKNOWN)))


def _ranked(seats: Iterable[Seat], *, weight: int) -> list[Model]:
    def rank(seat: Seat) -> tuple[bool, int, str]:
        return not seat.ready, seat.cost + weight * _lost(seat.model), seat.model.id

    return [one.model for one in sorted(seats, key=rank)]
