"""Targets that refused pictures though they were believed to see.

Law: one refusal may be the picture's fault, and two from one key that key's; two keys' with no answered picture between
them are news, until somebody has dealt with it. Fed by real requests only: an examination judges by its own rules.
"""

ENOUGH = 2  # keys
_MOST = 4096  # targets


class Doubts:
    __slots__ = ("_refused",)

    def __init__(self) -> None:
        self._refused: dict[str, frozenset[int]] = {}

    def refused(self, target: str, key: int) -> None:
        """It blamed a request of this key for being a picture."""
        known = self._refused.get(target, frozenset())
        if len(known) < ENOUGH and (known or len(self._refused) < _MOST):
            self._refused[target] = known | {key}

    def settled(self, target: str) -> None:
        """It took a picture, or the doubt is written down: from here it is counted anew."""
        self._refused.pop(target, None)

    def there(self) -> list[str]:
        """The targets there is doubt about."""
        return sorted(name for name, keys in self._refused.items() if len(keys) >= ENOUGH)
