"""What answers were like: how soon, how fast, how long, how well, how much of the question was cached.

Law: facts from real answers only, one cheap step for each; time is given. What is not measured is assumed, a little
better than usual so that it gets tried. What was measured lately fades into what the model is usually like, and that,
over weeks, into what is assumed: a bad hour is forgiven, a slow model is not tried anew every hour.
"""

import math
from typing import NamedTuple

from conflux.routing.beta import Odds
from conflux.routing.opinions import Opinions
from conflux.routing.places import Places

FIRST = 0.4  # seconds to the first token, assumed of the untried
PACE = 1 / 150  # seconds a token
FADE = 3600.0  # seconds in which what is new becomes what was usual
USUAL = 3 * 3600.0  # seconds in which what lasts becomes what is usual
FORGOTTEN = 7 * 86400.0  # seconds in which what was usual is no longer believed
_STEADY = 9.0  # answers that a mean remembers, about
_STEADY_LENGTH = 99.0  # lengths vary more than speed does, and change less
_BELIEF = 0.3  # answers that an assumption counts for
_BELIEF_LENGTH = 2.0  # one long answer is no long-winded model
_USUAL_ANSWERS = 20.0  # answers that tell what is usual
_SHORT = 1.0  # seconds in which nothing is forgotten
_MOST_STRETCH = 20.0  # one whole answer's surprise: more is one accident


class Mean:
    """A moving mean that begins with an assumption."""

    __slots__ = ("_assumed", "_belief", "_seen", "_usual", "value", "weight")

    def __init__(self, assumed: float, belief: float = _BELIEF) -> None:
        self._assumed = self._usual = self.value = assumed
        self.weight = self._belief = belief
        self._seen = belief  # answers, up to so many

    def saw(self, value: float, steady: float) -> None:
        weight, seen = self.weight, self._seen
        self.value += (value - self.value) / (weight + 1)
        self._usual += (value - self._usual) / (seen + 1)
        if weight < steady:
            self.weight = weight + 1
        if seen < _USUAL_ANSWERS:
            self._seen = seen + 1

    def fade(self, kept: float, stayed: float, believed: float) -> None:
        """`kept` of what was new, `stayed` of what was usual before, `believed` of that at all."""
        if self._seen == self._belief:
            return  # nothing was seen
        usual = self.value + (self._usual - self.value) * stayed
        usual = self._usual = self._assumed + (usual - self._assumed) * believed
        self.value = usual + (self.value - usual) * kept
        self.weight = self._belief + (self.weight - self._belief) * kept


class Measured:
    """One model's answers. `changes` grows with each, so that whoever reckons with it knows when to look again."""

    __slots__ = ("_lengths", "_stamp", "_wordy", "cached", "changes", "first", "odds", "pace")

    def __init__(self, now: float) -> None:
        self.first = Mean(FIRST)
        self.pace = Mean(PACE)
        self.cached = Mean(0.0)  # the share of a question that was read from a cache
        self.odds = Odds()
        self._lengths: dict[str, tuple[float, float]] = {}  # of answers in tokens, and of how many, by task
        self._wordy = Mean(1.0, _BELIEF_LENGTH)  # times what is assumed of a task's answers, over all tasks
        self.changes = 0
        self._stamp = now

    def length(self, task: str, assumed: float) -> float:
        """Who is long-winded in one task is expected to be so in the next."""
        usual = assumed * self._wordy.value
        found = self._lengths.get(task)
        if found is None:
            return usual
        mean, weight = found
        return (_BELIEF_LENGTH * usual + weight * mean) / (_BELIEF_LENGTH + weight)

    def answered(self, answer: "Answer", now: float) -> None:
        if now - self._stamp >= _SHORT:
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
            self._wrote(answer.task, tokens, answer.assumed)
            if answer.asked:
                self.cached.saw(answer.cached / answer.asked, _STEADY)

    def _wrote(self, task: str, tokens: int, assumed: float) -> None:
        mean, weight = self._lengths.get(task, (0.0, 0.0))
        weight = min(weight + 1, _STEADY_LENGTH)
        self._lengths[task] = mean + (tokens - mean) / weight, weight
        self._wordy.saw(tokens / assumed, _STEADY_LENGTH)

    def fade(self, now: float) -> None:
        gone = now - self._stamp
        if gone < _SHORT:
            return
        self._stamp = now
        kept, stayed, believed = math.exp(-gone / FADE), math.exp(-gone / USUAL), math.exp(-gone / FORGOTTEN)
        self.first.fade(kept, stayed, believed)
        self.pace.fade(kept, stayed, believed)
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
