"""What callers said of answers, as rows, and their sums.

Law: one word per receipt; a later one takes the place of the earlier. The sums change in the same transaction, so they
are always those of the rows.
"""

from collections.abc import Callable
from time import time

from conflux.neutral.records import Feedback
from conflux.routing.opinions import Subject, Sum
from conflux.stores.sql import Database, Run

_PUT = (
    "INSERT INTO feedback (request_id, key_id, score, comment, created, changed) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (request_id) DO UPDATE SET score = excluded.score, comment = excluded.comment,"
    " changed = excluded.changed"
)
_ADD = (
    "INSERT INTO opinion (storefront, model, task, simulated, voices, score) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (storefront, model, task, simulated)"
    " DO UPDATE SET voices = opinion.voices + excluded.voices, score = opinion.score + excluded.score"
)


class FeedbackRows:
    def __init__(self, ledger: Database, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._now = now

    async def give(self, said: Feedback) -> bool:
        """Committed when it returns: was it news?"""

        def job(run: Run) -> bool:
            now = int(self._now())
            query = "SELECT score, comment FROM feedback WHERE request_id = ?"
            before = run.execute(query, (said.request_id,)).fetchone()
            if before is not None and tuple(before) == (said.score, said.comment):
                return False
            run.execute(_PUT, (said.request_id, said.key_id, said.score, said.comment, now, now))
            about = (said.storefront, said.model, said.task, int(said.simulated))
            voices, score = (1, said.score) if before is None else (0, said.score - before[0])
            run.execute(_ADD, (*about, voices, score))
            return True

        return await self._ledger.write(job)

    async def sums(self) -> dict[Subject, Sum]:
        query = "SELECT storefront, model, task, simulated, voices, score FROM opinion"
        rows = await self._ledger.read(lambda run: run.execute(query).fetchall())
        return {Subject(row[0], row[1], row[2], bool(row[3])): Sum(row[4], row[5]) for row in rows}
