"""The keys of a played world."""

from conflux.neutral.records import Caller


class Keys:
    """Implements ports.KeyBook. What is `cold` must be looked up first."""

    def __init__(self, known: dict[str, Caller]) -> None:
        self.callers = known
        self.cold: set[str] = set()
        self.looked_up: list[str] = []

    def known(self, secret: str) -> Caller | bool | None:
        if secret in self.cold:
            return False
        return self.callers.get(secret)

    async def find(self, secret: str) -> Caller | None:
        self.looked_up.append(secret)
        return self.callers.get(secret)
