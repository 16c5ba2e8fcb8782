"""Long work that an admin has begun: what is done of it, and what came of it.

Law: one of a kind at a time; whoever asks for it meanwhile gets the one that runs. How a job ended is written into the
audit log, so it is known after a restart and to other processes; how far it is, only to the process that does it. A
job ends with the gateway.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from conflux.neutral.accounts import Act, ActRow
from conflux.neutral.errors import ConfigError, GatewayError, StoreError

RUNNING, DONE, FAILED = "running", "done", "failed"
_KEPT = 50
ID = "job_"

Tell = Callable[[int, int], None]  # how much is done, of how much
Work = Callable[[Tell], Awaitable[dict[str, Any]]]


class Job(msgspec.Struct, kw_only=True):
    id: str
    kind: str
    by: str
    about: str = ""
    state: str = RUNNING
    done: int | None = None
    total: int | None = None
    started: int  # unix milliseconds, as `ended`
    ended: int | None = None
    result: dict[str, Any] | None = None
    problem: str | None = None


class Jobs:
    def __init__(
        self, add: Callable[[Act], Awaitable[None]], report: Callable[[Exception, str], None], now: Callable[[], float]
    ) -> None:
        self._add = add
        self._report = report
        self._now = now
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, kind: str, by: str, work: Work, about: str = "") -> Job:
        for one in self._jobs.values():
            if (one.kind, one.about, one.state) == (kind, about, RUNNING):
                return one
        job = Job(id=ID + secrets.token_hex(8), kind=kind, by=by, about=about, started=self._moment())
        self._jobs[job.id] = job
        for old in list(self._jobs.values())[:-_KEPT]:
            if old.state != RUNNING:
                del self._jobs[old.id]
        task = asyncio.create_task(self._do(job, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def rows(self) -> list[Job]:
        """The newest first."""
        return list(self._jobs.values())[::-1]

    def get(self, name: str) -> Job | None:
        return self._jobs.get(name)

    async def _do(self, job: Job, work: Work) -> None:
        def tell(done: int, total: int) -> None:
            job.done, job.total = done, total

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
