"""Many ask at once for a budget that few fit into, from several processes: how many are let in.

Law: the racers count what they were promised; the books are only asked whether they agree.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.stores.books import DAY, ending, order
from tests.stores.postgres_books import child

HELD = 100

_RACER = """
import asyncio, sys
from pathlib import Path
from conflux.neutral.errors import GatewayError
from conflux.stores.postgres_ledger import PostgresLedger
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.stores.books import ending, number, order

async def main(where, count, place):
    if where.startswith("postgresql:"):
        ledger = await PostgresLedger.open(where)
    else:
        ledger = SqliteLedger.open(Path(where))
    await ledger.recover()

    async def one(moment, cost, again):
        admitted = 0
        while True:
            asked = order(100, moment=moment, request_id=number(moment) + (place << 20))
            try:
                await ledger.reserve(asked)
            except GatewayError:
                return admitted
            await ledger.start(asked.request_id)
            await ledger.settle(ending(asked.request_id, cost))
            admitted += 1
            if not again:
                return admitted

    print("ready", flush=True)
    for line in sys.stdin:
        moment, cost, again = map(int, line.split())
        print(sum(await asyncio.gather(*(one(moment, cost, again) for _ in range(count)))), flush=True)
    await ledger.aclose()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@contextlib.asynccontextmanager
async def racers(where: str, processes: int, count: int) -> AsyncIterator[list[Any]]:
    """`count`: how many each of them fires at once."""
    async with contextlib.AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(child(_RACER, where, str(count), str(place)))
            for place in range(1, processes + 1)
        ]
        for one in found:
            assert await one.stdout.readline() == b"ready\n"
        yield found
        for one in found:
            one.stdin.close()
            assert await one.wait() == 0


async def run_round(racing: list[Any], moment: int, cost: int, *, again: bool = False) -> int:
    """How many were let in. `again`: everybody asks until refused."""
    for one in racing:
        one.stdin.write(f"{moment} {cost} {int(again)}\n".encode())
    return sum([int(await one.stdout.readline()) for one in racing])


async def open_window(ledger: Any, moment: int) -> None:
    """The window is there: making it would put one racer behind the other."""
    first = order(0, moment=moment)
    await ledger.reserve(first)
    await ledger.settle(ending(first.request_id))


async def near(where: str, ledger: Any, start: int, *, processes: int, n: int, rounds: int, cost: int) -> list[int]:
    """What was spent, round by round, each in a day of its own, of a budget for n holds: everybody asks until refused,
    and what each costs is less than was held."""
    each = -(-2 * n // processes)
    async with racers(where, processes, each) as racing:
        found = []
        for day in range(rounds):
            moment = start + day * DAY
            if ledger is not None:
                await open_window(ledger, moment)
            found.append(cost * await run_round(racing, moment, cost, again=True))
        return found


def is_near(spent: int, n: int) -> bool:
    """Never above the cap, and below it by less than one hold."""
    return (n - 1) * HELD < spent <= n * HELD


async def exact(where: str, ledger: Any, start: int, *, processes: int, n: int, rounds: int) -> list[int]:
    """How many were let in, round by round, each in a day of its own: 10 n ask, and what they cost is what was held.
    `ledger`: another process's on the same books; None where there can be only one."""
    each = -(-10 * n // processes)
    async with racers(where, processes, each) as racing:
        found = []
        for day in range(rounds):
            moment = start + day * DAY
            if ledger is not None:
                await open_window(ledger, moment)
            found.append(await run_round(racing, moment, HELD))
        return found
