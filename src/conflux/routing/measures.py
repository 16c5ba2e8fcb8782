"""What answers were like: how soon, how fast, how long, how well, how much of the question was cached.

Law: facts from real answers only, one cheap step for each; time is given. What is not measured is assumed, a little
better than usual so that it gets tried. What was seen stays believed until something else is seen: a change is noticed
by two answers or three, and time alone changes a belief in weeks only. What time does at once is to raise hope: whoever
tries something out may reckon with what a model was usually like before its bad hour.
"""

from math import exp, log
from typing import NamedTuple

from conflux.routing.beta import Odds
from conflux.routing.opinions import Opinions
from conflux.routing.places import Places

FIRST = 0.4  # seconds to the first token, assumed of the untried
PACE = 1 / 150  # seconds a token
FADE = 3600.0  # seconds in which what was seen is doubted, and what failed is forgiven
FORGOTTEN = 7 * 86400.0  # seconds in which what was usual is no longer believed
_STEADY = 49.0  # answers that a mean remembers, about: what changed begins a new one
_STEADY_LENGTH = 99.0  # lengths vary more than speed does, and change less
_BELIEF = 0.3  # answers that an assumption counts for
_BELIEF_LENGTH = 3.0  # one long answer is no long-winded model
# When something has changed, in units of how far answers usually stray: one answer says at most so much, so much is
# always let pass, and so much added up is a change.
_FAR, _SLACK, _ALARM = 4.0, 0.8, 4.0
_SPREAD, _LEAST_SPREAD = 0.3, 0.1  # of the logarithm: as it is assumed, and what no clock is better than
_SPREAD_STEP = 0.05
_USUAL_ANSWERS = 20.0  # answers that tell what is usual
_MEAN_TO_DEVIATION = 1.25
_SETTLED = 2.0  # answers before which nothing can have changed
_STRAYS = 0.4  # of its mean: how far one answer's length strays
_MOST_NEWS = 256  # answers: whoever has heard of fewer looks at all
_SHORT = 1.0  # seconds in which nothing is forgotten
_HALF_SURE = 0.5
_RARELY = 8.0  # of all changes one makes a model twice as quick
_MOST_STRETCH = 20.0  # one whole answer's surprise: more is one accident


class Mean:
    """A moving mean that begins with an assumption."""

    __slots__ = ("_belief", "value", "weight")

    def __init__(self, assumed: float, belief: float = _BELIEF) -> None:
        self.value = assumed
        self.weight = self._belief = belief

    def saw(self, value: float, steady: float) -> None:
        weight = self.weight
        self.value += (value - self.value) / (weight + 1)
        if weight < steady:
            self.weight = weight + 1


class Watched(Mean):
    """A mean of what is above 0 that begins anew when what it sees has changed: two sums of how far the answers lie
    above and below it (Page's CUSUM)."""

    __slots__ = ("_above", "_assumed", "_below", "_seen", "_spread", "_usual")

    def __init__(self, assumed: float, belief: float = _BELIEF) -> None:
        super().__init__(assumed, belief)
        self._assumed = self._usual = assumed
        self._spread = _SPREAD
        self._above = self._below = 0.0
        self._seen = belief  # answers, up to so many

    def saw(self, value: float, steady: float) -> None:
        changed = self.weight >= _SETTLED and value > 0 and self._changed(log(value / self.value))
        if changed:
            self.weight = self._belief
        super().saw(value, steady)
        if changed or self._above > 0:
            return  # what may be the beginning of a bad hour is not what is usual
        seen = self._seen
        self._usual += (value - self._usual) / (seen + 1)
        if seen < _USUAL_ANSWERS:
            self._seen = seen + 1

    def _changed(self, off: float) -> bool:
        spread = self._spread
        far = off / spread
        far = _FAR if far > _FAR else -_FAR if far < -_FAR else far
        strays = abs(far) * spread * _MEAN_TO_DEVIATION
        self._spread += ((strays if strays > _LEAST_SPREAD else _LEAST_SPREAD) - spread) * _SPREAD_STEP
        above, below = self._above + far - _SLACK, self._below - far - _SLACK
        if above > _ALARM or below > _ALARM:
            self._above = self._below = 0.0
            return True
        self._above = above if above > 0 else 0.0
        self._below = below if below > 0 else 0.0
        return False

    def fade(self, kept: float, believed: float) -> None:
        """`kept` of the weight of what was seen, `believed` of what it was."""
        assumed = self._assumed
        self._usual = assumed + (self._usual - assumed) * believed
        self.value = assumed + (self.value - assumed) * believed
        self.weight = self._belief + (self.weight - self._belief) * kept

    @property
    def usual(self) -> float:
        """As it is, or as it was before something changed for the worse."""
        return self._usual if self._usual < self.value else self.value

    @property
    def brighter(self) -> bool:
        """Its last answer was so much better that one more settles whether something has changed."""
        return self._below > _ALARM / 2

    def doubt(self) -> float:
        """How far one more answer may move it: less, the more were seen."""
        return self.value * self._spread / (self.weight + 0.5)


class Measured:
    """One model's answers, and how many. `news` hears of each, so that whoever reckons with it knows when to look."""

    __slots__ = ("_heard", "_lengths", "_news", "_stamp", "_wordy", "cached", "changes", "first", "odds", "pace")

    def __init__(self, now: float, news: "News | None" = None) -> None:
        self._news = news
        self.first = Watched(FIRST)
        self.pace = Watched(PACE)
        self.cached = Mean(0.0)  # the share of a question that was read from a cache
        self.odds = Odds()
        self._lengths: dict[str, tuple[float, float]] = {}  # of answers in tokens, and of how many, by task
        self._wordy = Mean(1.0, _BELIEF_LENGTH)  # times what is assumed of a task's answers, over all tasks
        self.changes = 0
        self._stamp = self._heard = now

    def length(self, task: str, assumed: float) -> float:
        """Who is long-winded in one task is expected to be so in the next."""
        usual = assumed * self._wordy.value
        found = self._lengths.get(task)
        if found is None:
            return usual
        mean, weight = found
        return (_BELIEF_LENGTH * usual + weight * mean) / (_BELIEF_LENGTH + weight)

    def doubt(self, task: str) -> float:
        """How far one more answer may move what is believed of their length, as a share: less, the more were seen."""
        found = self._lengths.get(task)
        return _STRAYS / (_BELIEF_LENGTH + 0.5 + (found[1] if found is not None else 0.0))

    def since(self, now: float) -> tuple[float, float]:
        """Since it was heard of last: how likely a bad hour is over, and that it got better than it ever was."""
        gone = self._heard - now
        over = 1 - exp(gone / FADE)
        if over < _HALF_SURE and (self.first.brighter or self.pace.brighter):
            over = _HALF_SURE
        return over, (1 - exp(gone / FORGOTTEN)) / _RARELY

    def answered(self, answer: "Answer", now: float) -> None:
        if now - self._stamp >= _SHORT:
            self.fade(now)
        self._heard = now
        self.changes += 1
        if self._news is not None:
            self._news.add(self)
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
        kept, believed = exp(-gone / FADE), exp(-gone / FORGOTTEN)
        self.first.fade(kept, believed)
        self.pace.fade(kept, believed)
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


class News:
    """Who was heard of, in order. What is too old to be told one by one is gone: look at all of them then."""

    __slots__ = ("_gone", "_told", "count")

    def __init__(self) -> None:
        self._told: list[Measured] = []
        self._gone = 0
        self.count = 0

    def add(self, one: Measured) -> None:
        self.count += 1
        self._told.append(one)
        if len(self._told) > _MOST_NEWS:
            del self._told[: _MOST_NEWS // 2]
            self._gone = self.count - len(self._told)

    def since(self, count: int) -> list[Measured] | None:
        return None if count < self._gone else self._told[count - self._gone :]


class Measures:
    """Of every model by the name that those share which answer alike. Beside it what else task routing remembers."""

    def __init__(self) -> None:
        self._found: dict[str, Measured] = {}
        self.news = News()
        self.opinions = Opinions()
        self.homes = Places()  # which model a conversation is with

    def of(self, name: str, now: float) -> Measured:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = Measured(now, self.news)
        return found
