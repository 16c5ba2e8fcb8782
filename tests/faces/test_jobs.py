"""Twin of faces/jobs.py."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.job_board import RUNNING
from conflux.faces.jobs import DONE, FAILED, Jobs, Tell, act_of, job_of
from conflux.neutral.accounts import Act, ActRow
from conflux.neutral.errors import ConfigError, GatewayError, Kind, StoreError


class Office:
    def __init__(self, folder: Path) -> None:
        self.acts: list[Act] = []
        self.reports: list[Exception] = []
        self.jobs = Jobs(self.add, lambda error, place: self.reports.append(error), lambda: 7.0, folder)
        self.broken = False

    async def add(self, act: Act) -> None:
        if self.broken:
            raise StoreError("disk full")
        self.acts.append(act)

    async def ended(self, name: str) -> Any:
        while (job := self.jobs.get(name)) is not None and job.state == RUNNING:
            await asyncio.sleep(0)
        return job


async def fine(tell: Tell) -> dict[str, Any]:
    tell(1, 2)
    return {"count": 3, "rows": [1, 2]}


async def test_a_job_tells_how_far_it_is_and_what_came_of_it(tmp_path: Path) -> None:
    office, gate = Office(tmp_path), asyncio.Event()

    async def slow(tell: Tell) -> dict[str, Any]:
        tell(1, 2)
        await gate.wait()
        return {"count": 3, "rows": [1, 2]}

    job = office.jobs.begin("verify", "ann", slow)
    assert office.jobs.begin("verify", "bob", fine) is job, "one of a kind"
    other = office.jobs.begin("verify", "bob", fine, about="x")
    await asyncio.sleep(0)
    assert (job.state, job.done, job.total) == (RUNNING, 1, 2)
    assert [one.id for one in office.jobs.rows()] == [other.id, job.id]
    gate.set()
    ended = await office.ended(job.id)
    assert (ended.state, ended.result["count"], ended.ended) == (DONE, 3, 7000)
    again = office.jobs.begin("verify", "ann", fine)
    assert again.id != job.id
    assert office.jobs.get("job_none") is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError(["no such file", "nor that"]), "no such file; nor that"),
        (StoreError("gone"), "gone"),
        (GatewayError(Kind.UNAVAILABLE, "refused"), "refused"),
        (KeyError("x"), "its log says where"),
    ],
)
async def test_why_it_failed_is_told(error: Exception, words: str, tmp_path: Path) -> None:
    office = Office(tmp_path)

    async def bad(tell: Tell) -> dict[str, Any]:
        raise error

    job = await office.ended(office.jobs.begin("verify", "ann", bad).id)
    assert job.state == FAILED and words in job.problem and job.result is None
    assert len(office.reports) == isinstance(error, KeyError)
    assert office.acts[0].outcome == "failed"


async def test_the_log_remembers_a_job_without_its_long_lists(tmp_path: Path) -> None:
    office = Office(tmp_path)
    job = await office.ended(office.jobs.begin("verify", "ann", fine, about="it").id)
    (act,) = office.acts
    assert act == act_of(job, DONE)
    assert (act.act, act.target, act.detail["result"]) == ("verify", "it", {"count": 3})
    row = ActRow(id=1, at=9000, actor=act.actor, act=act.act, target=act.target, detail=act.detail, outcome="failed")
    found = job_of(row)
    assert found is not None and (found.id, found.about, found.state, found.ended) == (job.id, "it", FAILED, 9000)
    assert job_of(ActRow(id=1, at=1, actor="a", act="keys.create", target="", detail={})) is None


async def test_a_log_that_cannot_be_written_is_reported_and_ends_no_job(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.broken = True
    job = await office.ended(office.jobs.begin("verify", "ann", fine).id)
    assert job.state == DONE and isinstance(office.reports[0], StoreError)


async def test_old_ones_are_forgotten_and_what_runs_ends_with_the_gateway(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for number in range(60):
        await office.ended(office.jobs.begin("verify", "ann", fine, about=str(number)).id)
    assert len(office.jobs.rows()) == 50

    async def forever(tell: Tell) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    office.jobs.begin("backup", "ann", forever)
    await asyncio.sleep(0)
    await office.jobs.aclose()


async def test_any_worker_knows_what_another_does(tmp_path: Path) -> None:
    one, other, gate = Office(tmp_path), Office(tmp_path), asyncio.Event()

    async def slow(tell: Tell) -> dict[str, Any]:
        tell(1, 4)
        await gate.wait()
        return {}

    job = one.jobs.begin("verify", "ann", slow)
    await asyncio.sleep(0)
    seen = other.jobs.get(job.id)
    assert seen is not None and (seen.state, seen.done, seen.total, seen.by) == (RUNNING, 1, 4, "ann")
    assert [row.id for row in other.jobs.rows()] == [job.id] == [row.id for row in one.jobs.rows()]
    assert other.jobs.begin("verify", "bob", fine).id == job.id, "one of a kind"
    gate.set()
    await one.ended(job.id)
    await asyncio.sleep(0)
    assert other.jobs.get(job.id) is None
    assert other.jobs.begin("verify", "bob", fine).id != job.id


async def test_a_job_that_is_broken_off_is_seen_no_more(tmp_path: Path) -> None:
    one, other = Office(tmp_path), Office(tmp_path)
    job = one.jobs.begin("verify", "ann", lambda tell: asyncio.Event().wait())  # type: ignore[arg-type, return-value]
    await asyncio.sleep(0)
    assert other.jobs.get(job.id) is not None
    await one.jobs.aclose()
    assert other.jobs.get(job.id) is None


async def test_where_nothing_can_be_written_the_work_is_done_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    office = Office(tmp_path / "file")
    job = office.jobs.begin("verify", "ann", fine)
    assert (await office.ended(job.id)).state == DONE
    assert isinstance(office.reports[0], OSError)
