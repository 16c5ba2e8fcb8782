"""How many tokens a conversation is to a model: bounds and guesses, learned from what upstreams report.

Law: a bound is never too small. Uncounted it is the bytes: no byte-level tokenizer makes more tokens than bytes, and
what others wrote says nothing of the next text. Counted, it is what this pool's tokenizer made of counts before, with a
margin by how far those strayed. Old reports fade; one absurd report moves nothing.
"""

from math import ceil, sqrt
from typing import TypeVar

import msgspec

_Place = TypeVar("_Place", str, tuple[str, str])

_FADE = 0.995  # a report's weight after the next one: some 200 count
_DEVIATIONS = 2.6  # above the mean: one in two hundred lies beyond
_LEAST_SPREAD = 0.004  # of the mean: no tokenizer agrees with another better than this
_LIKELY = (0.2, 4.0)  # what a tokenizer makes of another's token; outside, a report is absurd
_SMALL = 1024  # tokens; below, what a provider adds to each request hides its tokenizer
_MOST = 4096  # pools and scripts, the newest

# A third of the bytes until something is known: English runs at a quarter, code at a third.
PLAIN_BYTES = 1 / 3
# What other tokenizers make of one token of the counter's: of prose the same to a third more, of hexadecimal half more.
PLAIN_TOKENS, PLAIN_MOST = 1.1, 1.6
_FEW = 4  # reports that outweigh this


class Counted(msgspec.Struct, frozen=True):
    """What the counter made of a conversation."""

    tokens: int
    script: str  # texts of one script are cut alike
    beside: int = 0  # tokens of what is no text, and so not the tokenizer's
    media: int = 0  # bytes of what is neither text nor image: of files and sound, where there are any


class Scale:
    """The ratio of what was reported to what was known before, and how far it strays."""

    __slots__ = ("_mean", "_plain", "_reports", "_square", "_weight")

    def __init__(self, plain: float = PLAIN_TOKENS) -> None:
        self._plain = plain  # until something is known
        self._reports = 0
        self._weight = self._mean = self._square = 0.0

    @property
    def mean(self) -> float:
        return self._mean if self._reports >= _FEW else self._plain

    @property
    def most(self) -> float:
        """What one report in two hundred passes. Few reports say little of how far the next one strays."""
        if self._reports < _FEW:
            return PLAIN_MOST
        spread = sqrt(self._square / self._weight) * (1 + _FEW / self._reports)
        return self._mean * (1 + _DEVIATIONS * _LEAST_SPREAD) + _DEVIATIONS * spread

    def learn(self, ratio: float) -> None:
        """A forgetting mean and variance, in constant time."""
        self._reports += 1
        self._weight = self._weight * _FADE + 1
        off = ratio - self._mean
        self._mean += off / self._weight
        self._square = self._square * _FADE + off * (ratio - self._mean)


_UNKNOWN = Scale()
_UNKNOWN_BYTES = Scale(PLAIN_BYTES)


class Gauge:
    """One per process. `pool`: the models behind one are cut by one tokenizer. `size`: a conversation's bytes."""

    def __init__(self) -> None:
        self._bytes: dict[str, Scale] = {}
        self._tokens: dict[tuple[str, str], Scale] = {}

    def bound(self, pool: str, size: int, counted: Counted | None = None) -> int:
        """No more than this."""
        if counted is None:
            return size
        scale = self._tokens.get((pool, counted.script), _UNKNOWN)
        return min(size, ceil(counted.tokens * scale.most) + counted.beside)

    def guess(self, pool: str, size: int, counted: Counted | None = None) -> int:
        """About this many."""
        if counted is None:
            return min(size, ceil(size * self._bytes.get(pool, _UNKNOWN_BYTES).mean))
        scale = self._tokens.get((pool, counted.script), _UNKNOWN)
        return min(size, ceil(counted.tokens * scale.mean) + counted.beside)

    def learn(self, pool: str, size: int, reported: int, counted: Counted | None = None) -> None:
        """The upstream counted `reported` tokens of a conversation that holds nothing but text."""
        if not _SMALL <= reported <= size:
            return
        known = self._bytes.get(pool)
        if known is None:
            known = self._bytes[pool] = Scale(PLAIN_BYTES)
            _shorten(self._bytes)
        known.learn(reported / size)
        if counted is None or not _LIKELY[0] * counted.tokens <= reported <= _LIKELY[1] * counted.tokens:
            return
        place = pool, counted.script
        scale = self._tokens.get(place)
        if scale is None:
            scale = self._tokens[place] = Scale()
            _shorten(self._tokens)
        scale.learn(reported / counted.tokens)


def _shorten(scales: dict[_Place, Scale]) -> None:
    """An owner may rename pools for years."""
    if len(scales) > _MOST:
        del scales[next(iter(scales))]
