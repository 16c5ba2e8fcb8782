"""Subscription plans: what may be used of models for nothing but the plan's own price.

Law: frozen, already validated. A window rolls: at any moment it holds what began within its last seconds, and no more.
"""

import msgspec

_NAMES = ((604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"))


class PlanWindow(msgspec.Struct, frozen=True, kw_only=True):
    seconds: int
    requests: int | None = None  # None: not counted
    tokens: int | None = None

    @property
    def name(self) -> str:
        """As people say it: `5 hours`, `1 week`."""
        for size, name in _NAMES:
            if self.seconds % size == 0:
                count = self.seconds // size
                return f"{count} {name}{'s' if count > 1 else ''}"
        return f"{self.seconds} seconds"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    windows: tuple[PlanWindow, ...]
    storefront: str  # whose agent keys it pays for
    default: bool = False  # what a new agent key's user gets where nothing else is said

    @property
    def longest(self) -> int:
        """Seconds of the longest window."""
        return max((one.seconds for one in self.windows), default=0)


class Subscription(msgspec.Struct, frozen=True):
    """What a caller is subscribed to: the key's own, else the user's, else the workspace's."""

    id: int
    plan: str


class PlanStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One window of a subscription, as it stands."""

    window: PlanWindow
    requests: int
    tokens: int
    frees: int | None  # unix milliseconds: when the first of them leaves it; None: it is empty
