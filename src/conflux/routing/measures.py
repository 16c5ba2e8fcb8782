"""What answers were like: how soon, how fast, how long, how well, how much of the question was cached.

Law: facts from real answers only, one cheap step for each; time is given. What is not measured is assumed, a little
better than usual so that it gets tried, and what was measured long ago fades into that again.
"""

import math
from typing import NamedTuple

from conflux.routing.beta import Odds
from conflux.routing.opinions import Opinions
from conflux.routing.places import Places

FIRST = 0.4  # seconds to the first token, assumed of the untried
PACE = 1 / 150  # seconds a token
FADE = 3600.0  # seconds in which old news is forgotten
_STEADY = 9.0  # answers that a mean remembers, about
_STEADY_LENGTH = 29.0  # lengths vary more than speed does
_BELIEF = 0.3  # answers that an assumption counts for
_BELIEF_LENGTH = 2.0  # one long answer is no long-winded model
_SHORT = 1.0  # seconds in which nothing is forgotten
_MOST_STRETCH = 20.0  # one whole answer's surprise: more is one accident


class Mean:
    """A moving mean that begins with an assumption."""

    __slots__ = ("_belief", "assumed", "value", "weight")

    def __init__(self, assumed: float, belief: float = _BELIEF) -> None:
        self.assumed = self.value = assumed
        self.weight = self._belief = belief

    def saw(self, value: float, steady: float) -> None:
        weight = self.weight
        self.value += (value - self.value) / (weight + 1)
        if weight < steady:
            self.weight = weight + 1

    def fade(self, kept: float) -> None:
        self.value = self.assumed + (self.value - self.assumed) * kept
        self.weight = self._belief + (self.weight - self._belief) * kept


class Measured:
    """One model's answers. `changes` grows with each, so that whoever reckons with it knows when to look again."""

    __slots__ = ("_stamp", "cached", "changes", "first", "lengths", "odds", "pace")

    def __init__(self, now: float) -> None:
        self.first = Mean(FIRST)
        self.pace = Mean(PACE)
        self.cached = Mean(0.0)  # the share of a question that was read from a cache
        self.odds = Odds()
        self.lengths: dict[str, Mean] = {}  # of answers in tokens, by task
        self.changes = 0
        self._stamp = now

    def length(self, task: str, assumed: float) -> Mean:
        found = self.lengths.get(task)
        if found is None:
            found = self.lengths[task] = Mean(assumed, _BELIEF_LENGTH)
        return found

    def answered(self, answer: "Answer", now: float) -> None:
        self.fade(now)
        self.changes += 1
        self.odds.saw(good=answer.good)
        if answer.first is None:
            return
        tokens = answer.tokens
        if answer.streamed:
            self.first.saw(answer.first, _STEADY)
            if tokens > 1 and answer.seconds > answer.first:
                self.pace.saw((answer.seconds - answer.first) / tokens, _STEADY)
        else:
            # A whole answer tells one time for both: each is as much off as the two together were.
            thought = self.first.value + tokens * self.pace.value
            stretch = min(answer.seconds / thought, _MOST_STRETCH)
            self.first.saw(self.first.value * stretch, _STEADY)
            self.pace.saw(self.pace.value * stretch, _STEADY)
        if answer.good:
            self.length(answer.task, answer.assumed).saw(tokens, _STEADY_LENGTH)
            if answer.asked:
                self.cached.saw(answer.cached / answer.asked, _STEADY)

    def fade(self, now: float) -> None:
        gone = now - self._stamp
        if gone < _SHORT:
            return
        self._stamp = now
        kept = math.exp(-gone / FADE)
        self.first.fade(kept)
        self.pace.fade(kept)
        self.odds.fade(kept)


class Answer(NamedTuple):
    """One answer, or its failure, as it was seen."""

    good: bool
    task: str  # "" where nobody said
    assumed: float  # how long answers to this task are, where nothing is known
    streamed: bool = True
    first: float | None = None  # seconds to the first content; None: nothing came
    seconds: float = 0.0
    tokens: int = 0
    asked: int = 0  # tokens of the question
    cached: int = 0  # of these, read from a cache


class Measures:
    """Of every model by the name that those share which answer alike. Beside it what else task routing remembers."""

    def __init__(self) -> None:
        self._found: dict[str, Measured] = {}
        self.opinions = Opinions()
        self.homes = Places()  # which model a conversation is with

    def of(self, name: str, now: float) -> Measured:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = Measured(now)
        return found
