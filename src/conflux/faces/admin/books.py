"""What was asked and what it cost: receipts, usage, the audit log, the ledger's health.

Law: money is what the ledger has, as exact decimal texts. A member sees their own, an admin the workspace's, the house
all, and only the house what was really called and what it paid.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Request, Response
from pydantic import Field

from conflux.faces.admin.actor import Actor, Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.past import route_of
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View, Wide
from conflux.faces.admin.shape import answer, listed, moment, page
from conflux.faces.jobs import job_of
from conflux.faces.public import receipt_view
from conflux.faces.usage import Sight, report
from conflux.neutral.errors import NoSuch
from conflux.neutral.ledger import request_id_number, request_id_text
from conflux.neutral.money import credits_text, usd
from conflux.neutral.reports import ReceiptRow

ROUTES = Routes("Books")
_FILE_MOST = 100_000
_PIECE = 5_000
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_FAR = 370  # spans
_SPLIT = "Of day, model, served_model, key, user, workspace, storefront, tag:NAME; with commas."
_Moment = Annotated[str | None, Query(max_length=40, description="A day, or a day and time (UTC).")]
_Word = Annotated[str | None, Query(max_length=300)]


class ReceiptInfo(View):
    id: str = Field(examples=["req_687f8ca6e4f6ceb3"])
    created: int = Field(description="Unix milliseconds.")
    key: str
    user: str
    workspace: str
    storefront: str
    requested_model: str
    served_model: str | None
    ending: str = Field(description="done, failed, cancelled, cut or crashed.")
    status: int
    cost_usd: str
    refunded_usd: str = Field(description="Of the cost, given back.", examples=["0"])
    credits: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    latency_ms: int
    first_byte_ms: int | None
    simulated: bool
    provider_cost_usd: str | None = Field(None, description="For the house.")


class Receipts(View):
    data: list[ReceiptInfo]
    next: str | None = None


class ReceiptLine(View):
    bucket: str
    quantity: int
    unit_price: str
    amount: str


class ReceiptCall(View):
    role: str
    model: str
    status: str
    latency_ms: int
    usage: dict[str, int] | None
    cost_usd: str
    reason: str | None
    other_cost_usd: str | None = Field(None, description="Of a model that stood in: the larger total, not charged.")
    target: str | None = None
    provider_cost_usd: str | None = None
    upstream_id: str | None = None


class Route(View):
    how: str = Field(pattern="^(named|alias|task|flux)$", description="How its model was found.")
    task: str | None
    fallback: bool = Field(description="Another model stood in for the one that was named.")
    words: list[str] = Field(description="What happened, step by step, for people.")


class Receipt(Wide):
    id: str
    created: int = Field(description="Unix seconds.")
    workspace: str
    user: str
    storefront: str
    requested_model: str
    served_model: str | None
    status: str
    usage: dict[str, int]
    provenance: str
    price_version: str
    cost_usd: str
    credits: str
    simulated: bool
    lines: list[ReceiptLine]
    calls: list[ReceiptCall]
    dropped: list[str]
    route: Route = Field(description="Why it went where it went.")


class UsageFigures(Wide):
    requests: int
    cost_usd: str
    credits: str
    usage: dict[str, int]


class UsageReport(Wide):
    object: str
    from_: str = Field(alias="from")
    to: str
    group_by: list[str]
    data: list[dict[str, Any]]
    total: UsageFigures


class PaceRow(View):
    at: int = Field(description="When the span begins, in Unix seconds.")
    name: str = Field(description="The model, key, user or storefront.", examples=["conflux/deepseek-v4-pro"])
    requests: int
    failed: int = Field(description="Not answered to the end, by no fault of the caller.")
    latency_ms: int | None = Field(description="On average.")
    slowest_ms: int
    first_byte_ms: int | None = Field(description="On average, of those that streamed.")


class Paces(View):
    data: list[PaceRow]
    next: str | None = None


class AuditRow(View):
    id: int
    at: int = Field(description="Unix milliseconds.")
    actor: str
    workspace: str | None
    act: str
    target: str
    detail: dict[str, Any]
    outcome: str


class AuditLog(View):
    data: list[AuditRow]
    next: str | None = None


class Verified(View):
    at: int = Field(description="Unix milliseconds.")
    by: str
    ok: bool
    counts: dict[str, int]


class LedgerHealth(View):
    """How the ledger is; every figure of a check that is not zero is a fault."""

    trouble: str | None
    open: int = Field(description="Requests under way: their holds are not settled yet.")
    oldest_open_seconds: int | None
    verified: Verified | None = Field(description="The last check that was asked for here.")
    checked: dict[str, int] | None = Field(None, description="Only where a check was asked for.")


class Rebuilt(View):
    rebuilt: int


class NewRefund(View):
    usd: str | None = Field(None, max_length=40, examples=["0.01"], description="A part of what was paid; else all.")
    note: str = Field("", max_length=200, description="Why, for the audit log.")


class Refund(View):
    id: str = Field(examples=["req_687f8ca6e4f6ceb3"])
    cost_usd: str = Field(examples=["0.0000609"])
    refunded_usd: str = Field(examples=["0.0000609"])


@ROUTES("GET", "/receipts", Rule.SIGNED_IN, Receipts, csv=True)
async def list_receipts(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    workspace: _Word = None,
    user: Annotated[str | None, Query(max_length=201, description="acme/ann, or a name in one's workspace.")] = None,
    key: Annotated[str | None, Query(max_length=40)] = None,
    model: Annotated[str | None, Query(max_length=300, description="As asked for, or as served.")] = None,
    storefront: _Word = None,
    ending: Annotated[str | None, Query(pattern="^(done|failed|cancelled|cut|crashed)$")] = None,
    status: Annotated[int | None, Query(ge=100, le=599)] = None,
    simulated: bool | None = None,
    since: _Moment = None,
    until: _Moment = None,
) -> Response:
    """The request log: receipts, the newest first."""
    where = {
        **_sight(actor, workspace, user),
        "key": key,
        "model": model,
        "storefront": storefront,
        "ending": ending,
        "status": status,
        "simulated": simulated,
        "since": moment(since, "since"),
        "until": moment(until, "until"),
    }
    shown: list[dict[str, Any]] = []
    before, most = asked.number, _FILE_MOST if asked.csv else asked.limit
    while len(shown) < most:  # in pieces, and beside the loop: a long file must hold nobody up
        piece = min(_PIECE, most - len(shown))
        rows = await desk.store.receipts.rows(piece + 1, before, where)
        shown += await asyncio.to_thread(_all_listed, rows[:piece], house=actor.house)
        before = rows[piece - 1].number if len(rows) > piece else None
        if before is None:
            break
    return await asyncio.to_thread(page, shown, asked, "receipts", before)


@ROUTES("GET", "/receipts/{receipt}", Rule.SIGNED_IN, Receipt)
async def get_receipt(
    receipt: Annotated[str, Path(max_length=40, examples=["req_687f8ca6e4f6ceb3"])], desk: TheDesk, actor: TheActor
) -> Response:
    """One receipt, line by line and call by call."""
    number = request_id_number(receipt)
    whose = await desk.store.receipts.whose(number) if number is not None else None
    found = await desk.parts.ledger.receipt(number) if number is not None and whose is not None else None
    if found is None or whose is None or not _may_see(actor, whose.workspace, whose.user):
        raise NoSuch([f"there is no receipt {receipt!r}"])
    shown = receipt_view(found, admin=actor.house)
    route = route_of(found, desk.snapshot().catalogue, house=actor.house)
    return answer({**shown, "workspace": whose.workspace, "user": whose.user, "route": route})


@ROUTES("POST", "/receipts/{receipt}/refund", Rule.HOUSE, Refund)
async def refund_receipt(
    receipt: Annotated[str, Path(max_length=40, examples=["req_687f8ca6e4f6ceb3"])],
    body: NewRefund,
    desk: TheDesk,
    actor: TheActor,
) -> Response:
    """Give back what a request cost, once. Budgets and sums count it as not spent."""
    number = request_id_number(receipt)
    whose = await desk.store.receipts.whose(number) if number is not None else None
    if whose is None:
        raise NoSuch([f"there is no receipt {receipt!r}"])
    return answer(await desk.do(actor.name, "ledger.refund", {"id": receipt, **body.model_dump()}, whose.workspace))


@ROUTES("GET", "/usage", Rule.SIGNED_IN, UsageReport, csv=True)
async def get_usage(
    request: Request,
    desk: TheDesk,
    actor: TheActor,
    group_by: Annotated[str | None, Query(max_length=200, description=_SPLIT)] = None,
    from_: Annotated[str | None, Query(alias="from", max_length=20, description="A day (UTC), within.")] = None,
    to: Annotated[str | None, Query(max_length=20)] = None,
    model: _Word = None,
    served_model: _Word = None,
    key: _Word = None,
    user: _Word = None,
    workspace: _Word = None,
    storefront: _Word = None,
    format: Annotated[str, Query(pattern="^(json|csv)$")] = "json",
) -> Response:
    """Spend, tokens and requests over time, split as asked; the answer of `GET /v1/usage`, as wide as one may see."""
    caller = actor.caller
    only: tuple[tuple[str, str], ...] = ()
    if not actor.house:
        only = (("workspace", caller.workspace),)
        if actor.rank < Rule.ADMIN:
            only = (("user", f"{caller.workspace}/{caller.user}"),)
    sight = Sight(key=None, only=only, admin=actor.house)
    found = await report(desk.store.usage, request.scope["query_string"], sight, None, desk.now())
    headers = {name.decode(): value.decode() for name, value in found.headers}
    return Response(found.body, found.status, headers)


@ROUTES("GET", "/performance", Rule.SIGNED_IN, Paces, csv=True)
async def list_performance(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    group_by: Annotated[str, Query(pattern="^(model|key|user|storefront)$")] = "model",
    by: Annotated[str, Query(pattern="^(hour|day)$")] = "day",
    since: Annotated[str | None, Query(max_length=40, description="None: thirty days ago, or by hour one.")] = None,
    until: _Moment = None,
    workspace: _Word = None,
    user: Annotated[str | None, Query(max_length=201)] = None,
    key: Annotated[str | None, Query(max_length=40)] = None,
    model: _Word = None,
    storefront: _Word = None,
    simulated: bool | None = None,
) -> Response:
    """How long answers took over time, and how many failed."""
    step = _DAY_MS if by == "day" else _HOUR_MS
    last = moment(until, "until") or int(desk.now() * 1000) + 1
    first = moment(since, "since")
    first = first if first is not None else last - (30 * _DAY_MS if by == "day" else _DAY_MS)
    first = max(first, last - _FAR * step)
    where = {**_sight(actor, workspace, user), "key": key, "model": model, "storefront": storefront,
             "simulated": simulated}  # fmt: skip
    rows = await desk.store.receipts.pace(first - first % step, last, step, group_by, where)
    shown = []
    for row in rows:
        fields = msgspec.structs.asdict(row)
        shown.append({"at": fields.pop("number") * step // 1000, **fields})
    return listed(shown, asked, "performance")


@ROUTES("GET", "/audit", Rule.ADMIN, AuditLog, csv=True)
async def list_audit(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    workspace: _Word = None,
    who: Annotated[str | None, Query(max_length=300, description="Exactly as the log names them.")] = None,
    act: Annotated[str | None, Query(max_length=100, examples=["keys.create"])] = None,
    target: _Word = None,
    outcome: Annotated[str | None, Query(pattern="^(done|refused|failed)$")] = None,
    since: _Moment = None,
    until: _Moment = None,
) -> Response:
    """What admins did, the newest first. Nothing in it can be changed."""
    where = {"actor": who, "act": act, "target": target, "outcome": outcome,
             "since": moment(since, "since"), "until": moment(until, "until")}  # fmt: skip
    most = _FILE_MOST if asked.csv else asked.limit
    rows = await desk.store.audit.rows(most + 1, before=asked.number, workspace=actor.workspace(workspace), where=where)
    following = rows[most - 1].id if len(rows) > most else None
    return page([{name: getattr(row, name) for name in AuditRow.model_fields} for row in rows[:most]], asked, "audit",
                following)  # fmt: skip


@ROUTES("GET", "/ledger", Rule.HOUSE, LedgerHealth)
async def get_ledger(desk: TheDesk, actor: TheActor, verify: bool = False) -> Response:
    """How the ledger is. `verify` holds every receipt against every entry while one waits; `POST` does it as a job."""
    checked = await desk.do(actor.name, "ledger.verify", {}) if verify else None
    count, oldest = await desk.store.receipts.open()
    age = max(0, round(desk.now() - oldest / 1000)) if oldest is not None else None
    return answer({"trouble": desk.store.trouble, "open": count, "oldest_open_seconds": age,
                   "verified": await _verified(desk), "checked": checked})  # fmt: skip


async def _verified(desk: Desk) -> dict[str, Any] | None:
    rows = await desk.store.audit.rows(1, where={"act": "ledger.verify", "outcome": "done"})
    found = job_of(rows[0]) if rows else None
    if found is None or found.result is None:
        return None
    counts = {name: value for name, value in found.result.items() if name != "ok"}
    return {"at": found.ended, "by": found.by, "ok": found.result.get("ok", False), "counts": counts}


@ROUTES("POST", "/ledger/rebuild", Rule.HOUSE, Rebuilt)
async def rebuild_ledger(desk: TheDesk, actor: TheActor) -> Response:
    """Make what is summed from the receipts anew; how many rows were wrong."""
    return answer(await desk.do(actor.name, "ledger.rebuild", {}))


def _may_see(actor: Actor, workspace: str, user: str) -> bool:
    caller = actor.caller
    return actor.house or (workspace == caller.workspace and (actor.rank >= Rule.ADMIN or user == caller.user))


def _sight(actor: Actor, workspace: str | None, user: str | None) -> dict[str, str | None]:
    """What of the receipts is the actor's to see, and within it what was asked for."""
    caller = actor.caller
    where = actor.workspace(workspace)
    if user is not None and "/" not in user:
        user = f"{where or caller.workspace}/{user}"
    if actor.rank < Rule.ADMIN:
        own = f"{caller.workspace}/{caller.user}"
        if user not in (None, own):
            raise NoSuch([f"there is no user {user!r}"])
        user = own
    return {"workspace": where, "user": user}


def _all_listed(rows: list[ReceiptRow], *, house: bool) -> list[dict[str, Any]]:
    return [_listed(row, house=house) for row in rows]


def _listed(row: ReceiptRow, *, house: bool) -> dict[str, Any]:
    fields = row._asdict()
    number, credits, owed = (fields.pop(name) for name in ("number", "credits", "provider_cost"))
    cost, refunded = usd(fields.pop("cost")), usd(fields.pop("refunded"))
    shown = {"id": request_id_text(number), **fields, "cost_usd": cost, "refunded_usd": refunded,
             "credits": credits_text(credits)}  # fmt: skip
    return shown | {"provider_cost_usd": usd(owed)} if house else shown
