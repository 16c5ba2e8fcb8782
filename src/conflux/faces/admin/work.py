"""Long work as jobs: the ledger verified, an invoice held against it, a backup, targets probed; and what came of it.

Law: a job is begun, watched and remembered; the answer of the one that begins it is 202. What is wrong with the wish
itself is told at once. A backup's name is made here and the file stays on the server: it holds every secret.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from pydantic import Field

from conflux.billing.reconcile import Billed
from conflux.faces.admin.actor import Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View, Wide
from conflux.faces.admin.shape import answer, listed
from conflux.faces.job_board import Job as Record
from conflux.faces.jobs import Tell, job_of
from conflux.faces.probe_admin import examinable
from conflux.faces.reconciling import NEAR, invoice_of, near_of, reconcile, shown, span_of
from conflux.neutral.errors import NoSuch
from conflux.neutral.reports import Asked, Span

ROUTES = Routes("Jobs")
KINDS = ("ledger.verify", "ledger.reconcile", "backup", "probe", "sweep")
_REMEMBERED = 50
_EACH = 1000  # calls between two words on how far it is
_SHOWN_MOST = 1000


class Job(View):
    id: str = Field(examples=["job_0123456789abcdef"])
    kind: str = Field(
        description="ledger.verify, ledger.reconcile, backup, probe or sweep.", examples=["ledger.verify"]
    )
    about: str = Field(description="The provider, model or file that it is about.")
    by: str = Field(description="Who began it, as the audit log names them.")
    state: str = Field(pattern="^(running|done|failed)$", examples=["done"])
    done: int | None = Field(description="Of `total`; null: it does not know how far it is.")
    total: int | None
    started: int = Field(description="Unix milliseconds.")
    ended: int | None
    result: dict[str, Any] | None
    problem: str | None = Field(description="Why it failed.")


class JobList(View):
    data: list[Job]
    next: str | None = None


class InvoiceAsked(View):
    """A provider's invoice or usage export, to hold against the ledger."""

    provider: str = Field(max_length=100, examples=["openrouter"])
    name: str = Field("invoice.csv", max_length=200, examples=["november.csv"])
    content: str = Field(max_length=6_000_000, description="CSV, JSON or JSON lines.",
                         examples=["id,cost\ngen-1,0.0012\n"])  # fmt: skip
    columns: str = Field("", max_length=1000, description="Which column is what: id=response_id,cost=usd_total.")
    from_: str | None = Field(None, alias="from", max_length=10, description="First day (UTC).")
    to: str | None = Field(None, max_length=10, description="Last day, within.")
    tolerance_usd: str = Field(NEAR, max_length=40, description="Two costs this near are the same.")


class ProbeAsked(View):
    """What to ask the targets of a model."""

    model: str = Field(max_length=300, examples=["conflux/deepseek-v4-pro"])
    storefront: str | None = Field(None, max_length=100)
    capability: str | None = Field(None, max_length=40, description="One of them; null: all that can be probed.")


class Probe(View):
    target: str = Field(examples=["openai/gpt-5.2/cloud"])
    capability: str = Field(examples=["vision"])
    holds: str = Field(description="What was found: yes, no or unknown.", examples=["yes"])
    stated: str = Field(description="What the catalogue says: yes, no or unknown.", examples=["yes"])
    usable: str = Field(
        description="Whether requests that need it are let through: yes, no or unknown.", examples=["yes"]
    )
    questioned: bool = Field(description="Finding and catalogue differ.")
    age_seconds: int | None
    tried_seconds: int | None = Field(description="Since it was asked last; null: it is due.")
    evidence: list[str] = Field(description="What the finding stands on.")
    cost_usd: str = Field(examples=["0.0004"])


class Probes(View):
    data: list[Probe]
    next: str | None = None


class Backup(View):
    name: str = Field(examples=["conflux-20261101T120000Z.tar"])
    bytes: int
    created: int = Field(description="Unix seconds.")


class Backups(View):
    data: list[Backup]
    next: str | None = None


class Kept(View):
    """`for`: how long it is kept; `over`: how much of it is past that and not yet swept."""

    kind: str
    for_: str = Field(alias="for", examples=["30 days"])
    over: int


class Retention(View):
    data: list[Kept]
    next: str | None = None


class Configuration(Wide):
    """The merged configuration, by its sections; secrets are not in it."""


# --- jobs


@ROUTES("GET", "/jobs", Rule.HOUSE, JobList, csv=True)
async def list_jobs(
    desk: TheDesk, asked: ThePage, kind: Annotated[str | None, Query(max_length=40, examples=["ledger.verify"])] = None
) -> Response:
    """Long work, the newest first: what runs, in whichever worker, and what ended lately."""
    rows = {one.id: one for one in desk.jobs.rows()}
    for one in await _remembered(desk, kind):
        rows.setdefault(one.id, one)
    chosen = sorted((one for one in rows.values() if kind in (None, one.kind)), key=lambda one: -one.started)
    return listed([_plain(one) for one in chosen], asked, "jobs")


@ROUTES("GET", "/jobs/{job}", Rule.HOUSE, Job)
async def get_job(
    job: Annotated[str, Path(max_length=40, examples=["job_0123456789abcdef"])], desk: TheDesk
) -> Response:  # fmt: skip
    """One job: how far it is, or what came of it."""
    found = desk.jobs.get(job) or next((one for one in await _remembered(desk, None) if one.id == job), None)
    if found is None:
        raise NoSuch([f"there is no job {job!r}"])
    return answer(_plain(found))


async def _remembered(desk: Desk, kind: str | None) -> list[Record]:
    kinds = KINDS if kind is None else (kind,)
    rows = [row for one in kinds for row in await desk.store.audit.rows(_REMEMBERED, where={"act": one})]
    return [found for row in rows if (found := job_of(row)) is not None]


def _plain(job: Record) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.structs.asdict(job)
    return found


def _begun(job: Record) -> Response:
    return answer(_plain(job), 202)


# --- what can be begun


@ROUTES("POST", "/ledger/verify", Rule.HOUSE, Job, status=202)
async def verify_ledger(desk: TheDesk, actor: TheActor) -> Response:
    """Hold every receipt against every entry. Any figure of the result that is not zero is a fault."""

    async def work(tell: Tell) -> dict[str, Any]:
        counts = await desk.store.verify()
        return {"ok": not any(value for name, value in counts.items() if not name.startswith("checked")), **counts}

    return _begun(desk.jobs.begin("ledger.verify", actor.name, work))


@ROUTES("POST", "/ledger/reconcile", Rule.HOUSE, Job, status=202)
async def reconcile_invoice(body: InvoiceAsked, desk: TheDesk, actor: TheActor) -> Response:
    """Hold a provider's invoice against the ledger: what is missing, extra, or differs, line by line."""
    if body.provider not in desk.snapshot().catalogue.providers:
        raise NoSuch([f"there is no provider {body.provider!r}"])
    invoice = await asyncio.to_thread(invoice_of, body.content, body.name, body.columns)
    span = span_of("reconcile", body.from_, body.to)
    near_of(body.tolerance_usd)  # before there is a job

    async def work(tell: Tell) -> dict[str, Any]:
        return await asyncio.to_thread(_reconciled, desk, invoice, body, span, tell)

    return _begun(desk.jobs.begin("ledger.reconcile", actor.name, work, body.provider))


def _reconciled(desk: Desk, invoice: list[Billed], body: InvoiceAsked, span: Span, tell: Tell) -> dict[str, Any]:
    def watch(calls: Iterator[Asked], total: int) -> Iterator[Asked]:
        for number, call in enumerate(calls, 1):
            if number % _EACH == 0:
                tell(min(number, total), total)
            yield call

    with contextlib.closing(desk.books()) as books:
        found, counts = reconcile(books, invoice, body.provider, span, body.tolerance_usd, watch)
    return {**shown(found[:_SHOWN_MOST], counts), "shown": min(len(found), _SHOWN_MOST)}


@ROUTES("GET", "/backups", Rule.HOUSE, Backups, csv=True)
async def list_backups(desk: TheDesk, asked: ThePage) -> Response:
    """The backups that were made here, the newest first. They lie in `backups` in the data directory."""
    return listed(await asyncio.to_thread(_backups, desk), asked, "backups")


def _backups(desk: Desk) -> list[dict[str, Any]]:
    files = sorted(desk.backups.glob("conflux-*.tar"), reverse=True) if desk.backups.is_dir() else []
    return [{"name": one.name, "bytes": one.stat().st_size, "created": int(one.stat().st_mtime)} for one in files]


@ROUTES("POST", "/backups", Rule.HOUSE, Job, status=202)
async def make_backup(desk: TheDesk, actor: TheActor) -> Response:
    """Copy database and secrets into one file on the server, and check the copy. Nobody gets it over HTTP."""
    name = f"conflux-{datetime.fromtimestamp(desk.now(), UTC):%Y%m%dT%H%M%SZ}.tar"

    async def work(tell: Tell) -> dict[str, Any]:
        file = desk.backups / name
        await asyncio.to_thread(desk.backups.mkdir, 0o700, exist_ok=True)
        await asyncio.to_thread(desk.backup, file, tell)
        return {"name": name, "bytes": file.stat().st_size}

    return _begun(desk.jobs.begin("backup", actor.name, work))


# --- probes


@ROUTES("GET", "/probes", Rule.HOUSE, Probes, csv=True)
async def list_probes(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    target: Annotated[str | None, Query(max_length=300)] = None,
    model: Annotated[str | None, Query(max_length=300, description="Of the targets behind it.")] = None,
    questioned: bool | None = None,
) -> Response:
    """What was found of targets by asking them, beside what the catalogue says of them."""
    behind = _targets(desk, model) if model is not None else None
    rows = (await desk.do(actor.name, "probe.list", {} if model is None else {"id": model}))["probes"]
    return listed(
        [
            row
            for row in rows
            if target in (None, row["target"])
            and (behind is None or row["target"] in behind)
            and questioned in (None, row["questioned"])
        ],
        asked,
        "probes",
    )


@ROUTES("POST", "/probes", Rule.HOUSE, Job, status=202)
async def probe_model(body: ProbeAsked, desk: TheDesk, actor: TheActor) -> Response:
    """Ask the live targets of a model what they can. Kept with its evidence; what the catalogue states stays."""
    _targets(desk, body.model, body.storefront)
    capabilities = [one.value for one in examinable(body.capability)]

    async def work(tell: Tell) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for number, capability in enumerate(capabilities):
            tell(number, len(capabilities))
            wish = {"id": body.model, "storefront": body.storefront, "capability": capability}
            rows += (await desk.do(actor.name, "probe.run", wish))["probes"]
        tell(len(capabilities), len(capabilities))
        return {"model": body.model, "probes": rows}

    return _begun(desk.jobs.begin("probe", actor.name, work, body.model))


def _targets(desk: Desk, model: str, storefront: str | None = None) -> set[str]:
    snapshot = desk.snapshot()
    fronts = [one for one in snapshot.catalogue.storefronts if storefront in (None, one)]
    found = [one for front in fronts if (one := snapshot.catalogue.resolve(front, model)) is not None]
    if not found:
        raise NoSuch([f"there is no model {model!r}"])
    return {target.key for one in found for target in snapshot.targets(one, test=False)}


# --- what is kept


@ROUTES("GET", "/retention", Rule.HOUSE, Retention, csv=True)
async def list_retention(desk: TheDesk, actor: TheActor, asked: ThePage) -> Response:
    """What is kept, for how long, and how much of it is over and not yet swept."""
    return listed((await desk.do(actor.name, "retention.show", {}))["kept"], asked, "retention")


@ROUTES("POST", "/retention/sweep", Rule.HOUSE, Job, status=202)
async def sweep_retention(desk: TheDesk, actor: TheActor) -> Response:
    """End now what is over. A running gateway does it by itself, too."""

    async def work(tell: Tell) -> dict[str, Any]:
        found: dict[str, Any] = await desk.do(actor.name, "retention.sweep", {})
        return found

    return _begun(desk.jobs.begin("sweep", actor.name, work))


# --- the rest of the command line


@ROUTES("GET", "/server/config", Rule.HOUSE, Configuration)
async def get_config(desk: TheDesk) -> Response:
    """The configuration as it was merged, without secrets."""
    return answer(desk.config())
