"""When a request is asked for a second time, before its first answer has failed.

Law: never before 95 of 100 of the last answers of its kind had begun, and never for more than 2 % of a pool's requests:
each one earns a fiftieth of a second leg. Where little is saved up, it is kept for the latest: more are late than may
be asked twice. What is not known is not hedged. Pure: time is given.
"""

from collections import deque

SHARE = 0.02  # of a pool's requests
_SAVED = 3.0  # second legs that a quiet time may save up
_REMEMBERED = 100  # first tokens of a bucket
_ENOUGH = 20  # below, nobody knows what is late
_PART, _LATEST = 0.95, 0.97
_PLENTY = 2.0  # second legs saved up


class Hedge:
    """One pool's."""

    __slots__ = ("_credit", "_late", "_waits")

    def __init__(self) -> None:
        self._credit = 0.0
        self._waits: dict[int, deque[float]] = {}
        self._late: dict[int, tuple[float, float]] = {}  # reckoned once, until something is seen

    def asked(self) -> None:
        """One more request of the pool."""
        self._credit = min(self._credit + SHARE, _SAVED)

    def late(self, bucket: int) -> float | None:
        """Seconds after which an answer that has not begun is late; None: that is not known yet."""
        found = self._late.get(bucket)
        if found is None:
            waits = self._waits.get(bucket)
            if waits is None or len(waits) < _ENOUGH:
                return None
            known = sorted(waits)
            found = self._late[bucket] = known[int(_PART * len(known))], known[int(_LATEST * len(known))]
        return found[0] if self._credit >= _PLENTY else found[1]

    def take(self) -> bool:
        """Asks for one second leg, and takes it."""
        if self._credit < 1:
            return False
        self._credit -= 1
        return True

    def waited(self, bucket: int, seconds: float) -> None:
        """So long it took until somebody answered."""
        waits = self._waits.get(bucket)
        if waits is None:
            waits = self._waits[bucket] = deque(maxlen=_REMEMBERED)
        waits.append(seconds)
        self._late.pop(bucket, None)
