"""How much may be tried again.

Law: in any window, retries are at most a share of the requests and a floor. What is dead for all must not be asked
three times as often as what lives.
"""

SHARE = 0.2
FLOOR = 10  # a second
WINDOW = 10  # seconds


class RetryBudget:
    """One pool's. Counts by the second, and forgets what is older than the window."""

    __slots__ = ("_now", "_requests", "_retries", "requests", "retries")

    def __init__(self) -> None:
        self._requests = [0] * WINDOW
        self._retries = [0] * WINDOW
        self.requests = 0
        self.retries = 0
        self._now = 0

    def request(self, now: float) -> None:
        second = int(now)
        if second != self._now:
            self._turn(second)
        self._requests[second % WINDOW] += 1
        self.requests += 1

    def retry(self, now: float) -> bool:
        """Asks for one, and takes it."""
        second = int(now)
        if second != self._now:
            self._turn(second)
        if self.retries + 1 > SHARE * self.requests + FLOOR * WINDOW:
            return False
        self._retries[second % WINDOW] += 1
        self.retries += 1
        return True

    def _turn(self, second: int) -> None:
        if second < self._now:
            return  # a clock that goes back: what was counted stays
        for gone in range(self._now + 1, min(second, self._now + WINDOW) + 1):
            place = gone % WINDOW
            self.requests -= self._requests[place]
            self.retries -= self._retries[place]
            self._requests[place] = self._retries[place] = 0
        self._now = second
