"""Targets that refused pictures though they were believed to see.

Law: one refusal may be the picture's fault; two with no answered picture between them are news. Told once, then counted
anew. Fed by real requests only: an examination judges by its own rules.
"""

ENOUGH = 2
_MOST = 4096  # targets


class Doubts:
    __slots__ = ("_refused",)

    def __init__(self) -> None:
        self._refused: dict[str, int] = {}

    def refused(self, target: str) -> None:
        """It blamed a request for its picture."""
        if target in self._refused or len(self._refused) < _MOST:
            self._refused[target] = self._refused.get(target, 0) + 1

    def answered(self, target: str) -> None:
        """It took a picture."""
        self._refused.pop(target, None)

    def take(self) -> list[str]:
        """The targets there is doubt about."""
        found = sorted(name for name, times in self._refused.items() if times >= ENOUGH)
        for name in found:
            del self._refused[name]
        return found
