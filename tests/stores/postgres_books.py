"""Several owners on one PostgreSQL database, in this process and in others."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from conflux.stores.postgres_ledger import PostgresLedger
from tests.stores.books import environment

PATIENCE = 20.0


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again and again, for as long as a test may take."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await found()):
            await asyncio.sleep(0.02)
    return answer


async def die(ledger: PostgresLedger) -> None:
    """As with SIGKILL: nothing is said to anybody."""
    if ledger._pulse is not None:
        ledger._pulse._task.cancel()
        ledger._pulse._let_go()
    writer: Any = ledger._writer
    if writer._task is not None:
        writer._task.cancel()
    writer._run.connection.terminate()
    ledger._readers.close()


@contextlib.asynccontextmanager
async def child(code: str, *arguments: str) -> AsyncIterator[Any]:
    """A Python that runs this code; its words are read line by line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, env=environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
