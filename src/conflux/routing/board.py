"""Which model is given a task: the candidates of one task, preset and circle of callers, reckoned in dollars.

Law: hard filters first, then the least of J = cost + v × time + F × (1 - p) + K × (1 - q). Each candidate is reckoned
by itself, so that adding or losing another changes nothing of its score. What is the same for every request is
reckoned once and again when something was learned; a decision is one walk over numbers. Chance is the request's id.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce
from math import erfc, exp, hypot, pi, sqrt
from operator import and_
from typing import NamedTuple

from conflux.neutral.records import Model
from conflux.routing.health import Health
from conflux.routing.measures import Measured, Measures
from conflux.routing.opinions import PSEUDO, Subject
from conflux.routing.prefer import USD, Preset
from conflux.routing.tasks import Task, prior_of

WORSE = 1.10  # times the best: within it a conversation stays where it is, and something else may be tried
EXPLORED = 131  # of 2**16 / 10: just below 2 %
_SHARES = 6554
_HALF = 1 << 24
AHEAD = 500.0  # requests of the same kind that profit from what a trial teaches
_DENSITY, _ROOT_HALF = 1 / sqrt(2 * pi), sqrt(0.5)  # of the normal law
LOOK_AGAIN = 5.0  # seconds until what fades is reckoned again
NEVER = float("inf")
_MASK = (1 << 64) - 1


class Entry(NamedTuple):
    """A candidate as the catalogue has it. Prices are nano-USD, a token each; `fee` is for a request."""

    model: Model
    out: str | None  # why it is none, whatever the request holds
    needs: int  # bits: what it is not known to lack
    room: float  # tokens of context
    fresh: float
    cached: float
    output: float
    fee: float
    gates: tuple[Health, ...]  # one for each target
    measured: Measured
    subject: Subject
    paid: tuple[float, float, float, float] | None = None  # the four prices for the customer; None: the same
    sure: int = -1  # bits: what it certainly serves


class Ask(NamedTuple):
    """A request as it is reckoned with."""

    needs: int = 0
    tokens: int = 0  # of its conversation
    room: int = 0  # tokens of context that it takes with an answer, by the gate's own count
    output: int = 1 << 40  # the most that it lets an answer be
    choices: int = 1
    home: str | None = None  # the model that its conversation is with
    known: int = 0  # tokens of it that were seen there
    seed: int = 0
    explores: bool = False
    most: float = NEVER  # nano-USD that the caller is expected to pay


class Score(NamedTuple):
    """What one candidate would cost, all of it; money in nano-USD."""

    cost: float
    seconds: float
    success: float
    quality: float
    total: float


class Decision(NamedTuple):
    board: "Board"
    ask: Ask
    place: int | None  # of the chosen one among the board's entries; None: nobody is left
    reason: str  # best | only | stays | explored
    kept: int
    dropped: dict[str, int]  # by cause
    totals: list[float]  # of the entries that may be asked, in their order; NEVER: not this request

    @property
    def model(self) -> Model | None:
        return None if self.place is None else self.board.fit[self.place].model

    @property
    def spoken(self) -> str:
        """The causes in a line."""
        return ", ".join(f"{cause} {count}" for cause, count in sorted(self.dropped.items()))


class Routed(NamedTuple):
    """A choice that was made for a request, and whose conversation it goes on with."""

    decision: Decision
    conversation: bytes | None

    @property
    def name(self) -> str:
        model = self.decision.model
        assert model is not None, "a route leads somewhere"
        return model.id


class Board:
    __slots__ = (
        "_book",
        "_figures",
        "_gates",
        "_heard",
        "_longest",
        "_needs",
        "_of",
        "_places",
        "_prior_worth",
        "_qualities",
        "_room",
        "_stamp",
        "_sure",
        "_usual",
        "_voices",
        "_watched",
        "entries",
        "fit",
        "out",
        "preset",
        "task",
    )

    def __init__(self, task: Task, preset: Preset, entries: Sequence[Entry], book: Measures) -> None:
        self.task = task
        self.preset = preset
        self.entries = tuple(entries)
        self.fit = tuple(one for one in entries if one.out is None)
        self.out = dict(Counter(one.out for one in entries if one.out is not None))
        self._book = book
        self._gates = [one.gates[0] for one in self.fit]
        self._watched = [one.measured for one in self.fit]
        self._needs = reduce(and_, (one.needs for one in self.fit), -1)  # what all of them serve
        self._sure = reduce(and_, (one.sure for one in self.fit), -1)
        self._room = min((one.room for one in self.fit), default=0)
        self._places = {one.model.id: place for place, one in enumerate(self.fit)}
        self._figures: list[tuple[float, float, float, float, float]] = []
        self._usual: list[tuple[float, float]] = []
        self._longest = 0.0  # of the answers that are expected, or longer
        self._heard = 0  # of the book's news
        self._of: dict[int, list[int]] = {}  # the places of what is measured together, by its id
        for place, watched in enumerate(self._watched):
            self._of.setdefault(id(watched), []).append(place)
        self._qualities: list[float] = []
        self._prior_worth = PSEUDO
        self._stamp = -NEVER
        self._voices = -1

    def decide(self, ask: Ask, now: float) -> Decision:
        self._learn(now)
        found = self._walked(ask, now, gated=True)
        if found.place is None and "breaker" in found.dropped:
            return self._walked(ask, now, gated=False)  # where all are shut, asking is how one finds out
        return found

    def _walked(self, ask: Ask, now: float, *, gated: bool) -> Decision:
        needs, tokens, room, cap, choices = ask[:5]
        if choices == 1 and cap >= self._longest:  # as nearly always
            totals = [base + tokens * fresh for base, fresh in self._usual]
        else:
            totals = [
                base + tokens * fresh + (length if length < cap else cap) * (output * choices + pace)
                for base, output, pace, length, fresh in self._figures
            ]
        why = dict(self.out)
        if needs & ~self._needs or room > self._room:  # not all of them serve it
            for at, entry in enumerate(self.fit):
                cause = objection(entry, needs, room)
                if cause is not None:
                    totals[at] = _drop(why, cause)
        if ask.most < NEVER:
            for at, entry in enumerate(self.fit):
                if totals[at] < NEVER and self.price(entry, ask) > ask.most:
                    totals[at] = _drop(why, "max_cost")
        if gated:
            # Health.open, written out: it is asked of each at every decision.
            shut = [at for at, gate in enumerate(self._gates)
                    if gate.ejected or gate.ejected_until > now or gate.missing is not None]  # fmt: skip
            for at in shut:
                if totals[at] < NEVER and not _asked(self.fit[at].gates, now):
                    totals[at] = _drop(why, "breaker")
        if needs & ~self._sure:  # who may not serve it is asked only where nobody is left who certainly does
            left = [at for at, total in enumerate(totals) if total < NEVER]
            unsure = [at for at in left if self.fit[at].sure & needs != needs]
            if len(unsure) < len(left):
                for at in unsure:
                    totals[at] = _drop(why, "uncertain")
        kept = len(self.entries) - sum(why.values())
        place, reason = self._chosen(ask, totals, kept, now) if kept else (None, "")
        return Decision(self, ask, place, reason, kept, why, totals)

    def _chosen(self, ask: Ask, totals: list[float], kept: int, now: float) -> tuple[int, str]:
        best = min(totals)
        place = totals.index(best)
        if kept == 1:
            return place, "only"
        home = self._places.get(ask.home) if ask.home is not None else None
        if home is not None and totals[home] < NEVER:
            if home == place:
                return place, "best"
            if totals[home] - self._saved(home, ask) <= WORSE * best:
                return home, "stays"
        elif ask.explores:
            chance = scattered(ask.seed)
            if chance % _SHARES < EXPLORED:
                worth = [
                    (gain, other)
                    for other, one in enumerate(totals)
                    if one < NEVER and other != place and (gain := self._gain(other, one, best, ask, now)) > 0
                ]
                if worth:  # every other time what promises most, else any of them: what is reckoned is not all
                    any_of_them = worth[(chance >> 32) % len(worth)]
                    return (max(worth) if chance & _HALF else any_of_them)[1], "explored"
        return place, "best"

    def _gain(self, place: int, total: float, best: float, ask: Ask, now: float) -> float:
        """What trying it is worth over the requests ahead, less what it costs: above 0 it pays for itself."""
        _, output, _, length, _ = self._figures[place]
        measured, second = self.fit[place].measured, self.preset.second
        length = min(length, ask.output)
        waiting = second * (measured.first.value + length * measured.pace.value)
        usual = total - waiting + second * (measured.first.usual + length * measured.pace.usual)
        gap, limit = total - best, WORSE * best
        over, better = measured.since(now)
        found = over * max(0.0, best - usual) + better * max(0.0, best - total + waiting / 2)  # twice as quick
        if total <= limit:
            words = measured.doubt(self.task.name) * length * (output * ask.choices + second * measured.pace.value)
            found += better_by(
                gap, hypot(words, second * measured.first.doubt(), length * second * measured.pace.doubt())
            )
        return AHEAD * found - gap

    def _saved(self, home: int, ask: Ask) -> float:
        """By what is cached of a conversation where it is, beyond what is expected of any request."""
        return max(0.0, min(ask.known, ask.tokens) * (self._figures[home][4] - self.fit[home].cached))

    def _learn(self, now: float) -> None:
        """Reckon again what has changed since."""
        news = self._book.news
        voices = self._book.opinions.changes
        if now - self._stamp > LOOK_AGAIN or voices != self._voices:
            self._stamp = now
            if voices != self._voices:
                self._voices = voices
                self._prior_worth = self._book.opinions.worth((one.subject, prior_of(one.model)) for one in self.fit)
                self._qualities = [self._quality(entry) for entry in self.fit]
            for one in self._watched:
                one.fade(now)
            self._figures = [self._figure(place) for place in range(len(self.fit))]
            self._usual = [_usual(one) for one in self._figures]
            self._longest = max((one[3] for one in self._figures), default=0.0)
            self._heard = news.count
        elif news.count != self._heard:
            told = news.since(self._heard)
            for heard in {id(one) for one in (self._watched if told is None else told)}:
                for place in self._of.get(heard, ()):
                    found = self._figures[place] = self._figure(place)
                    self._usual[place] = _usual(found)
                    self._longest = max(self._longest, found[3])
            self._heard = news.count

    def _figure(self, place: int) -> tuple[float, float, float, float, float]:
        entry, preset = self.fit[place], self.preset
        measured = entry.measured
        share = measured.cached.value
        base = (
            entry.fee
            + preset.second * measured.first.value
            + preset.failure * (1 - measured.odds.lower())
            + self._worth() * (1 - self._qualities[place])
        )
        length = measured.length(self.task.name, self.task.length)
        return (base, entry.output, preset.second * measured.pace.value, length,
                entry.fresh + share * (entry.cached - entry.fresh))  # fmt: skip

    def _worth(self) -> float:
        return self.preset.quality * self.task.worth * USD

    def _quality(self, entry: Entry) -> float:
        return self._book.opinions.quality(entry.subject, prior_of(entry.model), self._prior_worth)

    # -- not for every request

    def causes(self, found: Decision) -> Iterator[tuple[Entry, str | None]]:
        """Each candidate, and why it was dropped; None: it was not."""
        totals = iter(found.totals)
        for entry in self.entries:
            if entry.out is not None:
                yield entry, entry.out
            elif next(totals) < NEVER:
                yield entry, None
            else:
                needs, unsure = found.ask.needs, "uncertain" in found.dropped and "uncertain"
                dear = "max_cost" if self.price(entry, found.ask) > found.ask.most else None
                doubted = unsure if entry.sure & needs != needs else None
                yield entry, objection(entry, needs, found.ask.room) or dear or doubted or "breaker"

    def score(self, entry: Entry, ask: Ask) -> Score:
        """The same, taken apart; also of what may not be asked."""
        measured, preset = entry.measured, self.preset
        length = min(self.length(entry), ask.output)
        cost = self._amount(entry, _owed(entry), ask)
        seconds = measured.first.value + length * measured.pace.value
        success, quality = measured.odds.lower(), self._quality(entry)
        total = cost + preset.second * seconds + preset.failure * (1 - success) + self._worth() * (1 - quality)
        return Score(cost, seconds, success, quality, total)

    def price(self, entry: Entry, ask: Ask) -> float:
        """What the caller is expected to pay, in nano-USD."""
        return self._amount(entry, entry.paid or _owed(entry), ask)

    def _amount(self, entry: Entry, prices: tuple[float, float, float, float], ask: Ask) -> float:
        fresh, cached, output, fee = prices
        length = min(self.length(entry), ask.output)
        return (
            fee + ask.tokens * (fresh + entry.measured.cached.value * (cached - fresh)) + length * output * ask.choices
        )

    def length(self, entry: Entry) -> float:
        """Of an answer as it is expected, in tokens."""
        return entry.measured.length(self.task.name, self.task.length)


def _owed(entry: Entry) -> tuple[float, float, float, float]:
    return entry.fresh, entry.cached, entry.output, entry.fee


def _usual(figures: tuple[float, float, float, float, float]) -> tuple[float, float]:
    """The same for one answer of the expected length: all but the request's own tokens, and what one of those costs."""
    base, output, pace, length, fresh = figures
    return base + length * (output + pace), fresh


def better_by(gap: float, strays: float) -> float:
    """How much less it is expected to be than what it lies `gap` above, if what is believed of it may stray so far."""
    if strays <= 0:
        return max(0.0, -gap)
    far = gap / strays
    return strays * exp(-far * far / 2) * _DENSITY - gap * erfc(far * _ROOT_HALF) / 2


def objection(entry: Entry, needs: int, room: int) -> str | None:
    """Why this request is not for it."""
    if entry.needs & needs != needs:
        return "capability"
    return "context" if entry.room < room else None


def _asked(gates: tuple[Health, ...], now: float) -> bool:
    """May any of them be asked, if only to see whether it is back?"""
    return any(one.open(now) or one.due(now) for one in gates)


def _drop(why: dict[str, int], cause: str) -> float:
    why[cause] = why.get(cause, 0) + 1
    return NEVER


def scattered(seed: int) -> int:
    """64 even bits from a number that is anything but even (splitmix64)."""
    found = (seed + 0x9E3779B97F4A7C15) & _MASK
    found = ((found ^ (found >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    found = ((found ^ (found >> 27)) * 0x94D049BB133111EB) & _MASK
    return found ^ (found >> 31)
