"""A server's operations, played: what a command asks is kept, and a fixed answer comes back."""

from typing import Any


class Played:
    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        self.heard.append((operation, params))
        return self.answer(operation)

    def answer(self, operation: str) -> Any:
        raise NotImplementedError(operation)
