"""An almost empty purse and ten times as many as it can pay for, all at once: exactly so many are let in, each round.

Law: on PostgreSQL three owners race, each with connections of its own, as three processes would.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from conflux.neutral.errors import GatewayError, Kind
from conflux.stores.credits import Credits
from conflux.stores.ledger import BookLedger
from tests.stores.books import ending, order

ROUNDS = 100
MOST = 4  # who can be paid for


async def test_exactly_as_many_as_it_pays_for(books: Any, clock: Any) -> None:
    async with AsyncExitStack() as ends:
        ledgers: list[BookLedger] = [books.ledger]
        if books.url is not None:
            from conflux.stores.postgres_ledger import PostgresLedger

            for _ in range(2):
                ledgers.append(await PostgresLedger.open(books.url, clock))
                ends.push_async_callback(ledgers[-1].aclose)
        credits = Credits(books.ledger, clock)
        for turn in range(ROUNDS):
            payable = turn % MOST + 1
            await credits.grant("default", payable * 10, None, "")
            asked = [order(5, credits=10) for _ in range(10 * payable)]
            pairs = [(ledgers[place % len(ledgers)], one) for place, one in enumerate(asked)]
            done = await asyncio.gather(*(ledger.reserve(one) for ledger, one in pairs), return_exceptions=True)
            refused = [one for one in done if one is not None]
            assert all(isinstance(one, GatewayError) and one.kind is Kind.PAYMENT_REQUIRED for one in refused), refused
            admitted = [pair for pair, what in zip(pairs, done, strict=True) if what is None]
            assert len(admitted) == payable
            await asyncio.gather(*(ledger.settle(ending(one.request_id, 5, credits=10)) for ledger, one in admitted))
            assert (await credits.balance_of(1))[:2] == (0, 0)
        assert books.clean()
