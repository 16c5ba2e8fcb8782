"""What is kept for how long, and the sweep, as an admin asks for them.

Law: the sweep is the background's own, done now and in the same small pieces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError

_REST = 0.01


class Row(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def days(self) -> int | None: ...
    @property
    def due(self) -> int: ...


class Retained(Protocol):
    async def standing(self) -> Sequence[Row]: ...
    async def sweep(self, rest: Callable[[], Awaitable[None]]) -> dict[str, int]: ...


class RetentionAdmin:
    def __init__(self, retention: Retained) -> None:
        self._retention = retention

    def table(self) -> dict[str, Work]:
        return {"retention.show": self.show, "retention.sweep": self.sweep}

    async def show(self, params: dict[str, Any]) -> Any:
        _nothing("show", params)
        rows = await self._retention.standing()
        return {"kept": [{"kind": row.kind, "for": _span(row.days), "over": row.due} for row in rows]}

    async def sweep(self, params: dict[str, Any]) -> Any:
        _nothing("sweep", params)
        return {"ended": await self._retention.sweep(lambda: asyncio.sleep(_REST))}


def _nothing(operation: str, params: dict[str, Any]) -> None:
    if params:
        raise ConfigError([f"retention {operation}: takes no {', '.join(sorted(params))}"])


def _span(days: int | None) -> str:
    if days is None:
        return "as each was told"
    return f"{days} days" if days else "ever"
