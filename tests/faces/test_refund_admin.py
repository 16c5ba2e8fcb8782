"""A refund, as an admin asks for it."""

from typing import Any, NamedTuple

import pytest

from conflux.faces.refund_admin import refund
from conflux.neutral.errors import ConfigError

ID = "req_0123456789abcdef"


class Done(NamedTuple):
    amount: int
    cost: int


class Books:
    def __init__(self) -> None:
        self.heard: list[tuple[int, int | None]] = []

    async def refund(self, number: int, amount: int | None) -> Done:
        self.heard.append((number, amount))
        return Done(10 if amount is None else amount, 10)


async def test_all_or_a_part_is_asked_for() -> None:
    books = Books()
    assert await refund(books, {"id": ID}) == {"id": ID, "cost_usd": "0.00000001", "refunded_usd": "0.00000001"}
    await refund(books, {"id": ID, "usd": "0.000000004", "note": "sorry"})
    assert books.heard == [(0x0123456789ABCDEF, None), (0x0123456789ABCDEF, 4)]


@pytest.mark.parametrize(
    ("params", "words"),
    [({}, "id"), ({"id": "x"}, "no receipt's id"), ({"id": ID, "usd": "much"}, "--usd"), ({"id": ID, "to": "x"}, "to")],
)
async def test_mistakes_are_told(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await refund(Books(), params)
