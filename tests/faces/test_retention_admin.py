"""Retention, as an admin asks for it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from conflux.faces.retention_admin import RetentionAdmin
from conflux.neutral.errors import ConfigError


class Row(NamedTuple):
    kind: str
    days: int | None
    due: int


class Kept:
    def __init__(self) -> None:
        self.rests = 0

    async def standing(self) -> list[Row]:
        return [Row("answers", None, 3), Row("comments", 0, 0), Row("receipts", 30, 7)]

    async def sweep(self, rest: Callable[[], Awaitable[None]]) -> dict[str, int]:
        await rest()
        self.rests += 1
        return {"answers": 3}


async def test_what_is_kept_is_shown_and_swept() -> None:
    kept = Kept()
    work: Any = RetentionAdmin(kept).table()
    assert await work["retention.show"]({}) == {
        "kept": [
            {"kind": "answers", "for": "as each was told", "over": 3},
            {"kind": "comments", "for": "ever", "over": 0},
            {"kind": "receipts", "for": "30 days", "over": 7},
        ]
    }
    assert await work["retention.sweep"]({}) == {"ended": {"answers": 3}} and kept.rests == 1
    for name in work:
        with pytest.raises(ConfigError, match="takes no days"):
            await work[name]({"days": 1})
