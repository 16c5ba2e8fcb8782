"""How long drafts are waited for.

Law: pure, in seconds of one clock. A quorum of drafts starts the grace; the deadline ends the waiting whatever came;
whoever has not drafted by then is late. Where all have ended nothing is waited for.
"""

import msgspec

_LEAST_GRACE, _MOST_GRACE = 2.0, 8.0


class Gathering(msgspec.Struct, kw_only=True):
    """One panel's waiting. Told of every end; asked how long to go on."""

    began: float
    sources: int
    quorum: int
    deadline: float  # seconds
    grace: float | None  # None: half of what the quorum took, within bounds
    drafts: int = 0
    ended: int = 0
    until: float = 0.0

    def __post_init__(self) -> None:
        self.until = self.began + self.deadline

    def ends(self, now: float, *, draft: bool) -> None:
        """A source ended, with a draft or without one."""
        self.ended += 1
        if not draft:
            return
        self.drafts += 1
        if self.drafts == self.quorum:
            grace = self.grace
            if grace is None:
                grace = min(max((now - self.began) / 2, _LEAST_GRACE), _MOST_GRACE)
            self.until = min(self.until, now + grace)

    def left(self, now: float) -> float | None:
        """Seconds to wait still; None: it is over."""
        if self.ended >= self.sources or now >= self.until:
            return None
        return self.until - now
