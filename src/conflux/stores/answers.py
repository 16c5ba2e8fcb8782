"""Answers that are kept for an Idempotency-Key: the book's third part, and how they are found again.

Law: a name is taken in the transaction that reserves, and its answer is written in the one that settles, so an answer
is kept just where it was charged. A name is under way as long as its request's hold is open, and free where it ended
without an answer: whoever ends a hold, after a crash too, frees the name. What is sealed is sealed for its name.
"""

from collections.abc import Callable, Iterable
from time import time

from conflux.neutral.errors import mismatch, under_way
from conflux.neutral.ledger import Kept, Once
from conflux.neutral.ports import KeptAnswer
from conflux.stores.conversations import Box
from conflux.stores.sql import Database, Run

_OPEN = "EXISTS (SELECT 1 FROM hold WHERE hold.request_id = kept_answer.request_id)"
_ROW = f"SELECT body, expires, sealed IS NOT NULL, {_OPEN} FROM kept_answer WHERE name = ?"
_TAKE = (
    "INSERT INTO kept_answer (name, body, request_id, expires) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
    " body = excluded.body, request_id = excluded.request_id, expires = excluded.expires, sealed = NULL"
)
_KEEP = "UPDATE kept_answer SET sealed = ? WHERE name = ? AND request_id = ?"
_FREE = "DELETE FROM kept_answer WHERE name = ? AND request_id = ?"
_FOUND = (
    f"SELECT body, expires, sealed, {_OPEN}, request_id, request.cost, request.credits FROM kept_answer"
    " LEFT JOIN request ON request.id = request_id WHERE name = ?"
)
# Two processes that read the same name at once would both find it free.
_LOCK = "SELECT pg_advisory_xact_lock(?)"


class Answers:
    """What a batch does to names and answers."""

    def __init__(self) -> None:
        self._taken: dict[bytes, tuple[Once, int]] = {}
        self._ended: list[tuple[int, Kept]] = []

    def begin(self, run: Run, names: Iterable[Once]) -> None:
        """Where others write too: nobody else decides on these names before this batch is committed."""
        for one in sorted({int.from_bytes(once.name[:8], signed=True) for once in names}):
            run.execute(_LOCK, (one,))

    def check(self, run: Run, once: Once, created: int) -> None:
        """Raises GatewayError where the name is not free."""
        taken = self._taken.get(once.name)
        if taken is not None:
            raise under_way() if taken[0].body == once.body else mismatch()
        row = run.execute(_ROW, (once.name,)).fetchone()
        if row is None:
            return
        body, expires, answered, is_open = row
        if not is_open and (not answered or expires <= created // 1000):
            return
        raise under_way() if bytes(body) == once.body else mismatch()

    def hold(self, once: Once, number: int) -> None:
        self._taken[once.name] = (once, number)

    def settle(self, number: int, kept: Kept) -> None:
        self._ended.append((number, kept))

    def write(self, run: Run) -> None:
        for once, number in self._taken.values():
            run.execute(_TAKE, (once.name, once.body, number, once.expires))
        for number, kept in self._ended:
            if kept.sealed is None:
                run.execute(_FREE, (kept.name, number))
            else:
                run.execute(_KEEP, (kept.sealed, kept.name, number))

    def clear(self) -> None:
        """Forget the batch's rows."""
        if self._taken or self._ended:
            self._taken = {}
            self._ended = []


class AnswerRows:
    """Implements ports.AnswerStore."""

    def __init__(self, ledger: Database, box: Box, *, seconds: int, most_bytes: int,
                 now: Callable[[], float] = time) -> None:  # fmt: skip
        self._ledger = ledger
        self._box = box
        self._now = now
        self.seconds = seconds
        self.most_bytes = most_bytes

    async def find(self, name: bytes) -> KeptAnswer | None:
        row = await self._ledger.read(lambda run: run.execute(_FOUND, (name,)).fetchone())
        if row is None:
            return None
        body, expires, sealed, is_open, number, cost, credits = row
        if is_open:
            return KeptAnswer(body=bytes(body), sealed=None, request_id=number)
        if sealed is None or expires <= self._now():
            return None
        return KeptAnswer(body=bytes(body), sealed=bytes(sealed), request_id=number, cost=cost or 0,
                          credits=credits or 0)  # fmt: skip

    def seal(self, name: bytes, answer: bytes) -> bytes:
        return self._box.seal(_place(name), answer)

    def open(self, name: bytes, sealed: bytes) -> bytes:
        return self._box.open(_place(name), sealed)


def _place(name: bytes) -> str:
    return f"answer:{name.hex()}"


def kept_answers(
    ledger: Database, box: Box, *, keep_hours: int, most_bytes: int, now: Callable[[], float] = time
) -> AnswerRows | None:
    """None where they are kept for no time at all."""
    if keep_hours == 0:
        return None
    return AnswerRows(ledger, box, seconds=keep_hours * 3600, most_bytes=most_bytes, now=now)
