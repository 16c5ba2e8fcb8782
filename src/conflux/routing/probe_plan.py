"""When a target is examined without being told to.

Law: pure; time is given, and chance is the target's own name, so that targets met together part ways. At once where
nothing is known or there is doubt, then weekly; where nothing was found out, again after some hours. What is written
down of a day counts against that day's cap.
"""

from collections.abc import Iterable
from zlib import crc32

from conflux.neutral.probes import Finding

WEEK = 7 * 86_400.0
AGAIN = 6 * 3600.0  # after a try in which the target failed, was busy or let nobody in
EARLY = 0.2  # of the pause, by which chance may cut it short
_PARTS = 1 << 32
_DAY = 86_400_000  # milliseconds


def due(finding: Finding | None, target: str) -> float:
    """The moment from which it may be examined; 0: at once."""
    if finding is None or finding.tried == 0:
        return 0.0
    pause = AGAIN if finding.holds is None else WEEK
    chance = crc32(f"{target} {finding.tried}".encode()) / _PARTS
    return finding.tried / 1000 + pause * (1 - EARLY * chance)


def spent_on(day: int, findings: Iterable[Finding]) -> int:
    """What is written down of a day, in nano-USD: the last try of each counts."""
    return sum(one.cost for one in findings if one.tried // _DAY == day)


def day_of(now: float) -> int:
    return int(now * 1000) // _DAY
