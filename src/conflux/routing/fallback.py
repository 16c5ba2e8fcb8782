"""Which model may stand in for another, and which of them first.

Law: one certain no, or one thing nobody knows, and a model is out. What is left is never dearer than the cap; what is
not dearer than the model asked for comes first, then what the board of tasks reckons best.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from conflux.neutral.records import Model, Tier

_RANK = {Tier.CORE: 0, Tier.PRO: 1, Tier.ULTRA: 2}


class Prices(NamedTuple):
    """Nano-USD: of this request as it will about be, of a million tokens in, of a million tokens out."""

    total: int
    input: int
    output: int


class Option(msgspec.Struct, frozen=True, kw_only=True):
    model: Model
    lacks: tuple[str, ...]  # what of the request it does not certainly serve
    prices: Prices | None  # None: not known
    live: bool  # something of it can be asked now
    score: float  # as the board has it: the least is the best


def objections(option: Option, asked: Model, prices: Prices) -> tuple[str, ...]:
    """Why it may not stand in; none: it may."""
    found = list(option.lacks)
    if asked.tier is not None and (option.model.tier is None or _RANK[option.model.tier] < _RANK[asked.tier]):
        found.append("tier")
    if option.prices is None or any(2 * its > 3 * cap for its, cap in zip(option.prices, prices, strict=True)):
        found.append("price")
    if not option.live:
        found.append("live target")
    return tuple(found)


def ranked(options: Iterable[Option], asked: Model, prices: Prices) -> list[Model]:
    def rank(option: Option) -> tuple[bool, float, str]:
        assert option.prices is not None, "only what has no objections is ranked"
        return option.prices.total > prices.total, option.score, option.model.id

    fit = [one for one in options if not objections(one, asked, prices)]
    return [one.model for one in sorted(fit, key=rank)]
