"""Twin of faces/admin/work.py."""

import asyncio
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.admin.books import LedgerHealth
from conflux.faces.admin.work import KINDS, Backups, Configuration, Job, JobList, Probes, Retention
from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from tests.faces.admin.gate import Browser, Gate, gate
from tests.faces.admin.test_house import OWN


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path, OWN) as found:
        yield found


async def ended(house: Browser, path: str, body: Any = None) -> Job:
    answer = await house.ask("POST", path, body)
    assert answer.status == 202, answer.text
    job = Job.model_validate(answer.json())
    while job.state == "running":
        await asyncio.sleep(0.01)
        job = Job.model_validate(await house.get(f"/jobs/{job.id}"))
    return job


async def test_the_ledger_is_verified_as_a_job_that_is_remembered(g: Gate, tmp_path: Path) -> None:
    house = g.house
    assert LedgerHealth.model_validate(await house.get("/ledger")).verified is None
    job = await ended(house, "/ledger/verify")
    assert job.kind in KINDS and job.state == "done" and job.result is not None and job.result["ok"] is True
    health = LedgerHealth.model_validate(await house.get("/ledger"))
    assert health.verified is not None and health.verified.ok and health.verified.counts["unbalanced"] == 0
    assert (health.open, health.oldest_open_seconds, health.trouble) == (0, None, None)
    g.running.jobs._jobs.clear()  # as after a restart
    assert Job.model_validate(await house.get(f"/jobs/{job.id}")).result == job.result
    assert [one.id for one in JobList.model_validate(await house.get("/jobs", kind="ledger.verify")).data] == [job.id]
    assert (await house.get("/jobs", kind="backup"))["data"] == []
    assert (await house.ask("GET", "/jobs/job_none")).status == 404


async def test_a_backup_is_made_on_the_server_and_nobody_gets_it(g: Gate, tmp_path: Path) -> None:
    house = g.house
    job = await ended(house, "/backups")
    assert job.state == "done" and job.result is not None, job.problem
    (row,) = Backups.model_validate(await house.get("/backups")).data
    file = tmp_path / "data" / "backups" / row.name
    assert (row.name, row.bytes) == (job.result["name"], file.stat().st_size)
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0
    with tarfile.open(file) as tar:
        assert any("conflux" in name for name in tar.getnames())
    assert (await house.ask("GET", f"/backups/{row.name}")).status == 404


async def test_an_invoice_is_held_against_the_ledger(g: Gate) -> None:
    house = g.house
    invoice = {"provider": "own", "content": "id,cost\ngen-1,0.5\n"}
    job = await ended(house, "/ledger/reconcile", invoice)
    assert job.state == "failed" and "knows of no call" in str(job.problem)
    for bad in ({**invoice, "provider": "none"}, {**invoice, "content": "nonsense"}, {**invoice, "columns": "id"},
                {**invoice, "from": "yesterday"}, {"provider": "own"}, {**invoice, "tolerance_usd": "-1"},
                {**invoice, "tolerance_usd": "much"}):  # fmt: skip
        assert (await house.ask("POST", "/ledger/reconcile", bad)).status in (400, 404), bad


async def test_what_targets_can_is_asked_and_shown_with_its_evidence(g: Gate) -> None:
    house = g.house
    job = await ended(house, "/probes", {"model": "own/model", "capability": "vision"})
    assert job.result is not None and job.problem is None
    (row,) = job.result["probes"]
    assert (row["target"], row["asked"]) == ("own/m/cloud", "unknown"), "nothing answers there"
    finding = Finding(target="own/m/cloud", capability=Capability.VISION, holds=True, evidence=("red: 'red'",), found=5)
    await g.running.store.probes.keep(finding)
    (shown,) = Probes.model_validate(await house.get("/probes", model="own/model", questioned=False)).data
    assert (shown.holds, shown.stated, shown.evidence) == ("yes", "unknown", ["red: 'red'"])
    assert (await house.get("/probes", target="other"))["data"] == []
    assert (await house.ask("POST", "/probes", {"model": "none"})).status == 404
    assert (await house.ask("GET", "/probes?model=none")).status == 404
    refused = await house.ask("POST", "/probes", {"model": "own/model", "capability": "flight"})
    assert refused.status == 400 and "vision" in refused.text


async def test_what_is_over_is_swept(g: Gate) -> None:
    house = g.house
    assert Retention.model_validate(await house.get("/retention")).data
    job = await ended(house, "/retention/sweep")
    assert job.state == "done" and job.result is not None and "ended" in job.result, job.problem


async def test_the_configuration_is_shown_without_secrets(g: Gate) -> None:
    found = Configuration.model_validate(await g.house.get("/server/config"))
    assert found.model_dump()["web"]["conversations"] is True
