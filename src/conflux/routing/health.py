"""How the targets of the pools are doing.

Law: facts only, fed by the relay with each leg; choosing is choice.py's business. Time and chance are always given,
never read, so hours of it can be simulated in milliseconds. Credentials have the same record as targets.

A target that failed too often is ejected. It comes back by one real request that ends well, never by time alone.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from enum import IntEnum

from conflux.routing.budget import RetryBudget
from conflux.routing.doubts import Doubts
from conflux.routing.hedge import Hedge
from conflux.routing.measures import Measures
from conflux.routing.places import Places

DECAY = 10.0  # seconds: how fast old latencies are forgotten
UNMEASURED = 1.0  # seconds assumed of a target nobody has tried
PENALTY = 5.0  # a failure counts as at least this slow: a fast failure must not attract traffic
FAILURES_TO_EJECT = 5
EJECTION = 30.0  # seconds, times how often it was ejected
EJECTION_MOST = 600.0
CALM = 60.0  # each so many good seconds forgive one ejection
RETRY_AFTER_MOST = 300.0
BACKOFF_MOST = 60.0  # between two probes; begins with a second
JITTER = 0.5  # how much of it chance may take away
LAST_RESORTS = 4  # unanswered at once at a target that is shut, where nothing else is left
LIMIT_CUT = 0.7  # of what was in flight when the provider said that it is too much
LIMIT_PAUSE = 1.0  # seconds: one burst of refusals is one piece of news
LIMIT_MEMORY = 60.0  # seconds without a refusal after which there is no limit
SILENCE = 5.0  # seconds without a word after which only a probe is sent, while others talk
PROBE_PATIENCE = 10.0  # seconds a probe may keep a client waiting, or
PROBE_SLOWNESS = 4.0  # times what the target used to take

_SIZES = (4 * 1024, 32 * 1024, 256 * 1024)  # bytes of a conversation
_BUCKETS = 2 * (len(_SIZES) + 1)


class Leg(IntEnum):
    """Why a target that is asked may be asked."""

    NORMAL = 0
    PROBE = 1  # it is ejected, and this is the one request that may bring it back
    LAST_RESORT = 2  # it is shut, and so is everything else


def bucket_of(size: int, stream: bool) -> int:
    """Requests of one bucket wait about alike: by the conversation's bytes, and by whether the first bytes of an
    answer come when it begins or when it is whole."""
    place = bisect_right(_SIZES, size)
    return place if stream else place + len(_SIZES) + 1


_NORMAL = Leg.NORMAL


class _Signal:
    """The time to first token of one bucket."""

    __slots__ = ("good", "latency", "quiet", "stamp", "waiting")

    def __init__(self, now: float) -> None:
        self.latency = UNMEASURED
        self.stamp = now
        self.good = 0.0  # the last good one; 0: none yet
        self.waiting = 0  # legs that have not answered
        self.quiet = now  # since when nothing was heard


class Health:
    """One target's, or one credential's, recent past. Mutable, and only here."""

    __slots__ = (
        "_backoff",
        "_penalty",
        "_penalty_stamp",
        "_probing",
        "_reopened",
        "_resorts",
        "_signals",
        "_squeezed",
        "disabled",
        "ejected",
        "ejected_times",
        "ejected_until",
        "failures",
        "in_flight",
        "limit",
        "missing",
    )

    def __init__(self) -> None:
        self._signals: list[_Signal | None] = [None] * _BUCKETS
        self._penalty = 0.0
        self._penalty_stamp = 0.0
        self.in_flight = 0
        self.failures = 0
        self.ejected = False  # until a probe ends well
        self.ejected_until = 0.0  # when a probe may go; where it is not ejected: what Retry-After said
        self.ejected_times = 0
        self.limit: float | None = None  # in flight at once, where the provider said that it was too much
        self._squeezed = 0.0
        self._reopened = 0.0
        self._backoff = 1.0
        self._probing = 0
        self._resorts = 0
        self.disabled: str | None = None  # a credential the provider refused, until it works or somebody looks
        self.missing: str | None = None  # a target its provider does not list any more, until it works all the same

    @property
    def latency(self) -> float | None:
        """Seconds to the first token, of the bucket that answered last; None where nobody has answered."""
        heard = [one for one in self._signals if one is not None and one.good]
        return max(heard, key=lambda one: one.good).latency if heard else None

    # -- what choosing asks

    def cost(self, weight: int, now: float, bucket: int = 0) -> float:
        """The waiting it costs to ask it now: peak EWMA of the time to first token, times what it has to do."""
        signal = self._signals[bucket]
        if signal is None:
            signal = self._signals[bucket] = _Signal(now)
        latency = signal.latency
        if signal.waiting:
            # Who is silent for longer than ever is as slow as that at least: a black hole tells nothing else.
            silence = now - signal.quiet
            if silence > latency:
                latency = silence
        elif now > signal.stamp:
            # Forgotten also while nobody asks, so that what was slow is tried again: once, as then somebody waits.
            latency *= math.exp((signal.stamp - now) / DECAY)
        if self._penalty:
            penalty = self._penalty * math.exp((self._penalty_stamp - now) / DECAY)
            if penalty > latency:
                latency = penalty
        return latency * (self.in_flight + 1) / (weight if weight > 1 else 1)

    def open(self, now: float) -> bool:
        return not self.ejected and now >= self.ejected_until and self.disabled is None and self.missing is None

    def full(self) -> bool:
        return self.limit is not None and self.in_flight >= self.limit

    def ready(self, now: float, bucket: int) -> bool:
        """Is nothing the matter with it?"""
        return self.open(now) and not self.full() and not self.silent(now, bucket)

    def silent(self, now: float, bucket: int) -> bool:
        signal = self._signals[bucket]
        return signal is not None and signal.waiting > 0 and now - signal.quiet > max(SILENCE, 2 * signal.good)

    def due(self, now: float) -> bool:
        """May a probe go now?"""
        return (
            self.ejected
            and not self._probing
            and now >= self.ejected_until
            and self.disabled is None
            and self.missing is None
        )

    def doubted(self, now: float, bucket: int) -> bool:
        """Nothing has failed yet, but nothing answers: one probe may find out."""
        return self.open(now) and not self._probing and self.silent(now, bucket)

    def last_resort(self) -> bool:
        """May it be asked though it is shut? A few at a time: enough to notice that it is back, too few for a storm."""
        return self._resorts < LAST_RESORTS

    # -- what legs tell

    def began(self, now: float, bucket: int = 0, *, alone: bool = True) -> Leg:
        """`alone`: nobody else is ready to answer, so that the request is no probe for what is only doubted."""
        leg = _NORMAL
        if not alone or not self.open(now):
            leg = self._why(now, bucket, alone)
        self.in_flight += 1
        signal = self._signals[bucket]
        if signal is None:
            signal = self._signals[bucket] = _Signal(now)
        if not signal.waiting:
            signal.quiet = now
        signal.waiting += 1
        return leg

    def _why(self, now: float, bucket: int, alone: bool) -> Leg:
        """It is shut, or may be."""
        leg = Leg.NORMAL
        if self.due(now) or (not alone and self.doubted(now, bucket)):
            leg = Leg.PROBE
            self._probing += 1
        elif not self.open(now):
            leg = Leg.LAST_RESORT
            self._resorts += 1
        return leg

    def patience(self, leg: Leg, bucket: int) -> float | None:
        """How long a probe may keep its client waiting, as others could answer; None: as long as the provider may."""
        signal = self._signals[bucket]
        if leg is not Leg.PROBE or signal is None or not signal.good:
            return None
        return max(PROBE_PATIENCE, PROBE_SLOWNESS * signal.good)

    def answered(self, seconds: float, now: float, bucket: int = 0, leg: Leg = Leg.NORMAL) -> None:
        """The first content of an answer came."""
        signal = self._heard(bucket, now)
        signal.good = seconds
        self._sample(signal, seconds, now)
        if leg is Leg.LAST_RESORT:
            self._resorts -= 1
            if self.ejected:
                self._reopen(now)

    def outrun(self, seconds: float, now: float, bucket: int) -> None:
        """Another one was quicker: it is as slow as that at least."""
        signal = self._signals[bucket]
        if signal is not None and seconds > signal.latency:
            self._sample(signal, seconds, now)

    def succeeded(self, now: float, leg: Leg = Leg.NORMAL) -> None:
        """The answer came whole, and as it should."""
        self.failures = 0
        if leg is not _NORMAL:
            if self.ejected:
                self._reopen(now)
            self.ejected_until = min(self.ejected_until, now)
        self.disabled = self.missing = None
        if self.limit is not None:
            self.limit = None if now - self._squeezed > LIMIT_MEMORY else self.limit + 1 / self.limit

    def failed(
        self,
        seconds: float,
        now: float,
        bucket: int = 0,
        leg: Leg = Leg.NORMAL,
        *,
        retry_after: float | None = None,
        crowded: bool = False,
        chance: float = 0.0,
    ) -> None:
        """`crowded`: it said that it has too much to do. `chance`: from 0 to 1."""
        signal = self._signals[bucket]
        if signal is not None:
            signal.quiet = now
        if now - seconds < self._reopened:
            return  # old news: it has come back since
        self._penalty = max(seconds, PENALTY, self._penalty * math.exp((self._penalty_stamp - now) / DECAY))
        self._penalty_stamp = now
        if retry_after is not None and retry_after > 0:
            self.ejected_until = max(self.ejected_until, now + min(retry_after, RETRY_AFTER_MOST))
        if crowded and now - self._squeezed >= LIMIT_PAUSE:
            self._squeezed = now
            self.limit = max(1.0, (self.in_flight if self.limit is None else self.limit) * LIMIT_CUT)
        if self.ejected:
            # Only probes tell something new of what is ejected: other legs began before, or knew.
            if leg is Leg.PROBE:
                pause = self._backoff * (1 - JITTER * chance)
                self._backoff = min(2 * self._backoff, BACKOFF_MOST)
                self.ejected_until = max(self.ejected_until, now + pause)
            return
        self.failures += 1
        if self.failures >= FAILURES_TO_EJECT or leg is Leg.PROBE:  # that is: silent to all, and to the probe
            self._eject(now)

    def ended(self, bucket: int = 0, leg: Leg = Leg.NORMAL, *, answered: bool = True) -> None:
        """The leg is over, however. `answered`: it had told of its first content."""
        self.in_flight -= 1
        if leg is Leg.PROBE:
            self._probing -= 1
        if not answered:
            signal = self._signals[bucket]
            assert signal is not None, "what ends has begun"
            signal.waiting -= 1
            if leg is Leg.LAST_RESORT:
                self._resorts -= 1

    def _heard(self, bucket: int, now: float) -> _Signal:
        signal = self._signals[bucket]
        assert signal is not None, "what answers has begun"
        signal.waiting -= 1
        signal.quiet = now
        return signal

    def _eject(self, now: float) -> None:
        forgiven = int((now - self._reopened) / CALM)
        self.ejected_times = max(0, self.ejected_times - forgiven) + 1
        self.ejected_until = max(self.ejected_until, now + min(EJECTION * self.ejected_times, EJECTION_MOST))
        self.ejected = True
        self._backoff = 1.0
        self.failures = 0

    def _reopen(self, now: float) -> None:
        self.ejected = False
        self.ejected_until = now
        self._reopened = now

    def _sample(self, signal: _Signal, seconds: float, now: float) -> None:
        """Peak-sensitive moving average: up at once, down with time."""
        if seconds > signal.latency:
            signal.latency = seconds
        else:
            kept = math.exp((signal.stamp - now) / DECAY) if now > signal.stamp else 1.0
            signal.latency = signal.latency * kept + seconds * (1 - kept)
        signal.stamp = now


class HealthBook:
    """Health by name; a name nobody has used yet is unmeasured. Beside it what else the pools remember."""

    def __init__(self) -> None:
        self._found: dict[str, Health] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._hedges: dict[str, Hedge] = {}
        self.places = Places()
        self.doubts = Doubts()
        self.measures = Measures()

    def of(self, name: str) -> Health:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = Health()
        return found

    def budget(self, pool: str) -> RetryBudget:
        found = self._budgets.get(pool)
        if found is None:
            found = self._budgets[pool] = RetryBudget()
        return found

    def hedge(self, pool: str) -> Hedge:
        found = self._hedges.get(pool)
        if found is None:
            found = self._hedges[pool] = Hedge()
        return found

    def refused(self) -> dict[str, str]:
        """The credentials a provider refused, and why: somebody has to look at them."""
        return {name: one.disabled for name, one in self._found.items() if one.disabled is not None}

    def forgive(self) -> None:
        """Somebody looked: what was refused may be tried again."""
        for one in self._found.values():
            one.disabled = None

    def miss(self, reasons: Mapping[str, str]) -> None:
        """The targets that their providers list no longer, and why: these and no others."""
        for name in reasons:
            self.of(name)
        for name, one in self._found.items():
            one.missing = reasons.get(name)

    def missing(self) -> dict[str, str]:
        return {name: one.missing for name, one in self._found.items() if one.missing is not None}
