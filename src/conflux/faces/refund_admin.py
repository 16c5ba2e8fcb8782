"""A refund, as an admin asks for it.

Law: money is a decimal text in USD here and nano-USD behind; who gave it back, and why, is in the log of admins' acts.
"""

from typing import Any, Protocol

import msgspec

from conflux.faces.asked import asked
from conflux.neutral.errors import ConfigError
from conflux.neutral.ledger import request_id_number
from conflux.neutral.money import MoneyError, nano_from_usd, usd


class Refunded(Protocol):
    @property
    def amount(self) -> int: ...
    @property
    def cost(self) -> int: ...


class GivesBack(Protocol):
    async def refund(self, number: int, amount: int | None) -> Refunded: ...


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    usd: str | None = None  # None: all
    note: str = ""


async def refund(store: GivesBack, params: dict[str, Any]) -> Any:
    wish = asked("ledger refund", params, Wish)
    number = request_id_number(wish.id)
    if number is None:
        raise ConfigError([f"ledger refund: {wish.id[:40]!r} is no receipt's id, such as req_0123456789abcdef"])
    try:
        amount = nano_from_usd(wish.usd) if wish.usd is not None else None
    except MoneyError as error:
        raise ConfigError([f"ledger refund: --usd: {error}"]) from None
    done = await store.refund(number, amount)
    return {"id": wish.id, "cost_usd": usd(done.cost), "refunded_usd": usd(done.amount)}
