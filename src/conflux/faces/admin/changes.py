"""Changes to the catalogue: what the providers' lists say, what is proposed, what was decided.

Law: the operations are the command line's; every decision says who made it.
"""

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View, Wide
from conflux.faces.admin.shape import answer, listed

ROUTES = Routes("Changes")


class Change(View):
    id: int
    table: str
    key: list[str]
    field: str
    new: dict[str, Any]
    old: dict[str, Any]
    source: str
    state: str = Field(description="open, accepted, rejected or obsolete.")
    seen: int
    decided: int | None
    decided_by: str | None
    effective_at: int | None


class Changes(View):
    data: list[Change]
    next: str | None = None


class Sources(Wide):
    sources: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    remarks: list[Any]


class SyncAsked(View):
    providers: list[str] = Field(default_factory=list, max_length=200, description="None: all that are live.",
                                 examples=[["openrouter"]])  # fmt: skip
    dry_run: bool = False
    believe: bool = False


class Synced(Wide):
    dry_run: bool
    sources: list[dict[str, Any]]
    proposals: dict[str, int]


class Decision(View):
    ids: list[int] = Field(default_factory=list, max_length=10_000, examples=[[3]])
    all: bool = False


class Decided(Wide):
    """The changes that were decided, below the name of what was decided."""


class ImportAsked(View):
    name: str = Field(max_length=200, examples=["models.csv"])
    content: str = Field(max_length=4_000_000, examples=["storefront,id,context\nconflux,gpt-4o-mini,128000\n"])
    store: bool = Field(False, description="Take it over; otherwise it is only checked.")


class Imported(Wide):
    rows: dict[str, int]
    ids: list[int]
    later: int = Field(0, description="How many of the changes begin later, as their price's effective_at says.")


@ROUTES("GET", "/changes", Rule.HOUSE, Changes, csv=True)
async def list_changes(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    state: Annotated[str | None, Query(pattern="^(open|accepted|rejected|obsolete)$")] = None,
) -> Response:
    """Proposed and decided changes, the newest first."""
    found = await desk.do(actor.name, "catalogue.diff", {"history": state != "open"})
    rows = [row for row in reversed(found["changes"]) if state in (None, row["state"])]
    return listed(rows, asked, "changes")


@ROUTES("GET", "/changes/sources", Rule.HOUSE, Sources)
async def list_sources(desk: TheDesk, actor: TheActor) -> Response:
    """How the providers' own lists were read last, and which targets they do not list any more."""
    found = await desk.do(actor.name, "catalogue.diff", {})
    return answer({name: found[name] for name in ("sources", "missing", "remarks")})


@ROUTES("POST", "/changes/sync", Rule.HOUSE, Synced)
async def sync_catalogue(body: SyncAsked, desk: TheDesk, actor: TheActor) -> Response:
    """Read the providers' lists now. What differs becomes a proposal."""
    return answer(await desk.do(actor.name, "catalogue.sync", body.model_dump()))


@ROUTES("POST", "/changes/accept", Rule.HOUSE, Decided)
async def accept_changes(body: Decision, desk: TheDesk, actor: TheActor) -> Response:
    """Accept proposals: they count at once."""
    return answer(await desk.do(actor.name, "catalogue.accept", {**body.model_dump(), "by": actor.name}))


@ROUTES("POST", "/changes/reject", Rule.HOUSE, Decided)
async def reject_changes(body: Decision, desk: TheDesk, actor: TheActor) -> Response:
    """Reject proposals, or take back what was accepted."""
    return answer(await desk.do(actor.name, "catalogue.reject", {**body.model_dump(), "by": actor.name}))


@ROUTES("POST", "/changes/import", Rule.HOUSE, Imported)
async def import_rows(body: ImportAsked, desk: TheDesk, actor: TheActor) -> Response:
    """Models and pools from a TOML, JSON or CSV file: checked, and with `store` taken over."""
    return answer(await desk.do(actor.name, "catalogue.import", {**body.model_dump(), "by": actor.name}))
