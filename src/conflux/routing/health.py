"""How the targets of the pools are doing.

Law: facts only, fed by the relay after each attempt; choosing is choice.py's business. Time is always given, never
read, so hours of it can be simulated in milliseconds. Credentials have the same record as targets.
"""

import math
from collections.abc import Mapping

DECAY = 10.0  # seconds: how fast old latencies are forgotten
UNMEASURED = 1.0  # seconds assumed of a target nobody has tried
PENALTY = 5.0  # a failure counts as at least this slow: a fast failure must not attract traffic
FAILURES_TO_EJECT = 5
EJECTION = 30.0  # seconds, times how often it was ejected before
EJECTION_MOST = 600.0
RETRY_AFTER_MOST = 300.0


class Health:
    """One target's, or one credential's, recent past. Mutable, and only here."""

    __slots__ = ("disabled", "ejected_times", "ejected_until", "failures", "in_flight", "latency", "missing", "stamp")

    def __init__(self) -> None:
        self.latency = UNMEASURED
        self.stamp = 0.0
        self.in_flight = 0
        self.failures = 0
        self.ejected_until = 0.0
        self.ejected_times = 0
        self.disabled: str | None = None  # a credential the provider refused, until it works or somebody looks
        self.missing: str | None = None  # a target its provider does not list any more, until it works all the same

    def cost(self, weight: int) -> float:
        return self.latency * (self.in_flight + 1) / max(weight, 1)

    def open(self, now: float) -> bool:
        return self.disabled is None and self.missing is None and now >= self.ejected_until

    def began(self) -> None:
        self.in_flight += 1

    def ended(self) -> None:
        self.in_flight -= 1

    def succeeded(self, seconds: float, now: float) -> None:
        self._sample(seconds, now)
        self.failures = 0
        self.ejected_times = 0
        self.disabled = self.missing = None

    def failed(self, seconds: float, now: float, retry_after: float | None = None) -> None:
        self._sample(max(seconds, PENALTY), now)
        self.failures += 1
        if retry_after is not None and retry_after > 0:
            self.ejected_until = max(self.ejected_until, now + min(retry_after, RETRY_AFTER_MOST))
        if self.failures >= FAILURES_TO_EJECT:
            self.ejected_times += 1
            self.failures = 0
            self.ejected_until = max(self.ejected_until, now + min(EJECTION * self.ejected_times, EJECTION_MOST))

    def _sample(self, seconds: float, now: float) -> None:
        """Peak-sensitive moving average: up at once, down with time."""
        if seconds > self.latency or self.stamp == 0.0:
            self.latency = seconds
        else:
            kept = math.exp(-max(now - self.stamp, 0.0) / DECAY)
            self.latency = self.latency * kept + seconds * (1 - kept)
        self.stamp = now


class HealthBook:
    """Health by name; a name nobody has used yet is unmeasured."""

    def __init__(self) -> None:
        self._found: dict[str, Health] = {}

    def of(self, name: str) -> Health:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = Health()
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
