"""Long work that an admin has begun: what is done of it, and what came of it.

Law: one of a kind at a time; whoever asks for it meanwhile, of any worker here, gets the one that runs. How far it is
the other workers see on the board; how it ended is written into the audit log, so it is known after a restart and to
gateways elsewhere. A job ends with the process that does it.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from conflux.faces.job_board import ID, RUNNING, Job, JobBoard
from conflux.neutral.accounts import Act, ActRow
from conflux.neutral.errors import ConfigError, GatewayError, StoreError

DONE, FAILED = "done", "failed"
_KEPT = 50
_EACH = 0.2  # seconds from one word to the other workers to the next

Tell = Callable[[int, int], None]  # how much is done, of how much
Work = Callable[[Tell], Awaitable[dict[str, Any]]]


class Jobs:
    def __init__(
        self,
        add: Callable[[Act], Awaitable[None]],
        report: Callable[[Exception, str], None],
        now: Callable[[], float],
        folder: Path,
    ) -> None:
        self._add = add
        self._report = report
        self._now = now
        self._board = JobBoard(folder)
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, kind: str, by: str, work: Work, about: str = "") -> Job:
        for one in self.rows():
            if (one.kind, one.about, one.state) == (kind, about, RUNNING):
                return one
        job = Job(id=ID + secrets.token_hex(8), kind=kind, by=by, about=about, started=self._moment())
        self._jobs[job.id] = job
        self._show(self._board.put, job)
        for old in list(self._jobs.values())[:-_KEPT]:
            if old.state != RUNNING:
                del self._jobs[old.id]
        task = asyncio.create_task(self._do(job, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def rows(self) -> list[Job]:
        """The newest first, those of other workers after one's own."""
        return [*list(self._jobs.values())[::-1], *self._board.others()]

    def get(self, name: str) -> Job | None:
        return self._jobs.get(name) or next((one for one in self._board.others() if one.id == name), None)

    def _show(self, way: Callable[[Job], None], job: Job) -> None:
        try:
            way(job)
        except OSError as error:  # a full disk keeps nobody from the work; the other workers see its end alone
            self._report(error, job.kind)

    async def _do(self, job: Job, work: Work) -> None:
        shown = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal shown
            job.done, job.total = done, total
            if self._now() - shown >= _EACH:
                shown = self._now()
                self._show(self._board.change, job)

        try:
            await self._done(job, work, tell)
        finally:
            self._board.take(job.id)

    async def _done(self, job: Job, work: Work, tell: Tell) -> None:
        try:
            job.result = await work(tell)
            state = DONE
        except (ConfigError, StoreError, GatewayError) as error:
            job.problem, state = "; ".join(error.problems) if isinstance(error, ConfigError) else str(error), FAILED
        except Exception as error:  # noqa: BLE001 edge: nobody waits for a job; the owner's log has the trace
            self._report(error, job.kind)
            job.problem, state = "the gateway failed at this; its log says where", FAILED
        job.ended = self._moment()
        try:
            await self._add(act_of(job, state))
        except StoreError as error:
            self._report(error, job.kind)
        job.state = state  # last: who reads that it has ended finds all of it

    def _moment(self) -> int:
        return int(self._now() * 1000)

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def act_of(job: Job, outcome: str) -> Act:
    """A job's end, as the audit log keeps it: a long result's lists stay out of it."""
    short = {name: value for name, value in (job.result or {}).items() if not isinstance(value, list)}
    detail = {"job": job.id, "started": job.started, **({"result": short} if job.result is not None else {})}
    if job.problem is not None:
        detail["problem"] = job.problem[:500]
    return Act(actor=job.by, act=job.kind, target=job.about or job.id, detail=detail, outcome=outcome)


def job_of(row: ActRow) -> Job | None:
    """A job as the log remembers it; None for a line of something else."""
    name, started = row.detail.get("job"), row.detail.get("started")
    if not isinstance(name, str) or not isinstance(started, int):
        return None
    about = row.target if row.target != name else ""
    return Job(id=name, kind=row.act, by=row.actor, about=about, state=DONE if row.outcome == "done" else FAILED,
               started=started, ended=row.at, result=row.detail.get("result"),
               problem=row.detail.get("problem"))  # fmt: skip
