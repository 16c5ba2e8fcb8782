"""How sure one can be that something ends well, from how it ended before.

Law: a count that forgets, by use and by time, towards what is assumed of the untried. What is asked for is the lower
bound of the share, so that little news counts little.
"""

import math

GOOD, BAD = 58.5, 1.5  # what is assumed of the untried: 39 of 40
MEMORY = 0.99  # of each count, with each new one: about the last hundred
_BOUND = -1.2815515655446004  # the normal distribution's lower 10 %


class Odds:
    """Good and bad ends, both fading."""

    __slots__ = ("bad", "good")

    def __init__(self) -> None:
        self.good = GOOD
        self.bad = BAD

    def saw(self, *, good: bool) -> None:
        self.good = GOOD + (self.good - GOOD) * MEMORY
        self.bad = BAD + (self.bad - BAD) * MEMORY
        if good:
            self.good += 1
        else:
            self.bad += 1

    def fade(self, kept: float) -> None:
        """Time has passed: only this share of what was seen still counts."""
        self.good = GOOD + (self.good - GOOD) * kept
        self.bad = BAD + (self.bad - BAD) * kept

    def lower(self) -> float:
        return lower_bound(self.good, self.bad)


def lower_bound(good: float, bad: float) -> float:
    """The lower 10 % of a Beta distribution, nearly (Abramowitz and Stegun 26.5.22): to a hundredth from BAD on."""
    one, other = 1 / (2 * good - 1), 1 / (2 * bad - 1)
    mean = 2 / (one + other)
    curve = (_BOUND * _BOUND - 3) / 6
    turn = -_BOUND * math.sqrt(mean + curve) / mean - (other - one) * (curve + 5 / 6 - 2 / (3 * mean))
    return good / (good + bad * math.exp(2 * turn))
