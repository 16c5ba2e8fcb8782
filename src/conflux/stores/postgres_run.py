"""A PostgreSQL connection as the stores' rooms see one: sql.Run over asyncpg.

Law: a job is written without a word about waiting, for either database. Here it runs in a greenlet of its own, which is
put aside whenever it must wait for the server, so that the loop goes on meanwhile. Values travel beside the statement,
never in it, and each says its type: PostgreSQL guesses text where a statement does not tell.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import asyncpg
from greenlet import getcurrent, greenlet

T = TypeVar("T")

_MOST_STATEMENTS = 300
_TYPES = {int: "::bigint", str: "::text", bytes: "::bytea"}


async def in_greenlet(work: Callable[[], T]) -> T:
    """Run what calls `wait` somewhere below; each such wait is awaited here."""
    child = greenlet(work)
    child.gr_context = getcurrent().gr_context
    found = child.switch()
    while not child.dead:
        try:
            answer = await found
        except BaseException:  # noqa: BLE001 edge: whatever it is, a cancellation too, the work below is told
            found = child.throw(*sys.exc_info())
        else:
            found = child.switch(answer)
    result: T = found
    return result


def wait(what: Awaitable[T]) -> T:
    """Only inside `in_greenlet`."""
    parent = getcurrent().parent
    assert parent is not None, "a statement was run outside of a job or a query"
    answer: T = parent.switch(what)
    return answer


class PostgresRows:
    __slots__ = ("_at", "_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self._at = 0
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchall(self) -> list[Any]:
        left, self._at = self._rows[self._at :], len(self._rows)
        return left

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class PostgresRun:
    """Implements sql.Run. Lists are arrays; None takes whatever type its place has."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self._prepared: dict[tuple[str, tuple[type, ...]], Any] = {}

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> PostgresRows:
        return wait(self.send(sql, values))

    def script(self, sql: str) -> None:
        """Several statements without values, in one go."""
        wait(self.connection.execute(sql))

    async def send(self, sql: str, values: Sequence[Any] = ()) -> PostgresRows:
        kinds = tuple(map(type, values))
        if float in kinds:
            raise TypeError("nothing is stored as a float")  # the driver would cut it down without a word
        name = (sql, kinds)
        statement = self._prepared.get(name)
        if statement is None:
            if len(self._prepared) >= _MOST_STATEMENTS:
                self._prepared.clear()
            statement = self._prepared[name] = await self.connection.prepare(numbered(sql, values))
        rows = await statement.fetch(*values)
        # "UPDATE 3", "INSERT 0 3", "SELECT 3"
        count = statement.get_statusmsg().rpartition(" ")[2]
        return PostgresRows(rows, int(count) if count.isdigit() else -1)


def numbered(sql: str, values: Sequence[Any]) -> str:
    """`?` as PostgreSQL counts them, each with its type. No statement of ours has a question mark elsewhere."""
    pieces = sql.split("?")
    assert len(pieces) == len(values) + 1, f"{len(pieces) - 1} places and {len(values)} values: {sql}"
    text = [pieces[0]]
    for place, (value, piece) in enumerate(zip(values, pieces[1:], strict=True), 1):
        kind = "" if piece.startswith("::") else _TYPES.get(type(value), "")
        text.append(f"${place}{kind}{piece}")
    return "".join(text)


# What comes of a server that is gone, or that does not answer, rather than of a statement.
GONE = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is stopping, or starting
    asyncpg.InsufficientResourcesError,  # no disk, memory or connection left
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
)
FAILED = (*GONE, asyncpg.PostgresError)


def is_gone(error: BaseException) -> bool:
    """asyncpg counts a value that fits no column among its own interface's errors."""
    return isinstance(error, GONE) and not isinstance(error, ValueError)


async def connect(url: str, name: str, *, patience: float = 10.0) -> "asyncpg.Connection[Any]":
    """A session as we want it. Raises one of GONE."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        url,
        timeout=patience,
        command_timeout=60.0,  # a server that says nothing is as bad as none
        statement_cache_size=0,  # statements are kept here
        server_settings={
            "application_name": f"conflux {name}",
            "synchronous_commit": "on",
            "default_transaction_isolation": "read committed",
            "idle_in_transaction_session_timeout": "20s",  # a process that hangs holds up nobody for long
            "timezone": "UTC",
            "jit": "off",
        },
    )
    # Sums of 64 bits are numeric there, and always whole.
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int, format="text")
    return connection
