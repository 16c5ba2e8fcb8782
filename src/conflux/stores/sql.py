"""What the stores' rooms ask of a database, whichever it is.

Law: statements are written once, with `?` for each value, in the SQL that both databases speak. A job runs in one
transaction beside which nobody writes; a query sees only what was committed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Rows(Protocol):
    """What a statement gave. Each row is a sequence of its columns."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Run(Protocol):
    """A connection, inside a job or a query. A sqlite3.Connection is one as it stands."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Rows: ...


class Database(Protocol):
    async def write(self, job: Callable[[Run], T]) -> T: ...
    async def read(self, query: Callable[[Run], T]) -> T: ...
