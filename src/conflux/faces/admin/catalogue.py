"""The catalogue: what everybody may see of it, and what an admin changes.

Law: the public page shows disabled models too, and never what stands behind one: no pool, target or provider. A change
of a model or pool is a change of the catalogue like an imported row: checked whole, a version of its own, taken back by
`reject`.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from pydantic import Field

from conflux.catalogue.changes import ACCEPTED
from conflux.catalogue.figures import tags, tokens
from conflux.faces.admin.actor import Rule
from conflux.faces.admin.choosing import choosing
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed, moment
from conflux.faces.operations import model_view
from conflux.neutral.errors import NoSuch, invalid
from conflux.neutral.money import PriceSheet, as_listed
from conflux.neutral.records import Model
from conflux.neutral.reports import Recent
from conflux.relay.snapshot import Snapshot

ROUTES = Routes("Catalogue")
_ENOUGH = 5  # requests before figures of them say something
_BUCKETS = (
    *("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio"),
    *("image", "search", "request"),
)
Storefront = Annotated[str, Path(max_length=100, examples=["conflux"])]
ModelId = Annotated[str, Path(max_length=300, examples=["conflux/deepseek-v4-pro"])]


class Lately(View):
    """The last 24 hours; null where too little was asked to say anything."""

    uptime: str | None = Field(description="Share of requests that were answered to the end.", examples=["0.998"])
    latency_ms: int | None
    first_byte_ms: int | None


class PublicModel(View):
    storefront: str
    id: str = Field(examples=["conflux/deepseek-v4-pro"])
    name: str
    provider: str = Field(description="The label the catalogue shows.", examples=["Built-in"])
    description: str
    kind: str
    status: str = Field(description="enabled or disabled.")
    account: bool = Field(description="Needs a connected account.")
    live: bool = Field(description="Something would answer now.")
    role: str | None
    tier: str | None
    lane: str
    context: int | None
    context_text: str
    safe_context: int | None
    safe_context_text: str
    max_output: int | None
    prices: dict[str, str | None] = Field(
        description="Per million tokens, or for each image, search and request; null: not known."
    )
    currency: str
    price_version: str
    capabilities: list[str]
    tags: list[str] = Field(description="The capabilities as the catalogue shows them.")
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str]
    effort: str | None
    aliases: list[str]
    agent: bool
    dimensions: list[int]
    limitations: list[str]
    assumed: list[str] = Field(description="What the source does not say, and we took.")
    lately: Lately


class PublicStorefront(View):
    id: str
    name: str
    mount: str
    billing: str
    models: int


class Choosing(View):
    storefront: str
    by_task: list[dict[str, Any]]
    by_need: list[dict[str, str]]


class PublicCatalogue(View):
    storefronts: list[PublicStorefront]
    models: list[PublicModel]
    choosing: Choosing
    simulated: bool = Field(description="No provider is configured: every answer is made up.")


class About(View):
    name: str
    version: str
    simulated: bool
    storefront: str = Field(description="Whose models are at the root.")


class AdminModel(PublicModel):
    pool: str
    targets: list[str]
    quality: float | None = Field(description="From 0 to 1; null: what its tier promises.")
    quality_source: str
    changed: bool = Field(description="An admin has said something of it over the files.")


class AdminModels(View):
    data: list[AdminModel]
    next: str | None = None


class ModelChange(View):
    """What is to change; what is left out stays. Prices make a new version. `enabled` counts at once, always."""

    enabled: bool | None = None
    safe_context: int | None = Field(None, ge=1, le=1 << 40)
    context: int | None = Field(None, ge=1, le=1 << 40)
    max_output: int | None = Field(None, ge=1, le=1 << 40)
    role: str | None = Field(None, pattern="^(SOURCE|FUSE|BOTH)$")
    tier: str | None = Field(None, pattern="^(core|pro|ultra)$")
    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=2000)
    prices: dict[str, str] | None = Field(
        None, description="The whole sheet, as it is read, as texts.", examples=[{"input": "0.5", "output": "2"}]
    )
    currency: str = Field("USD", max_length=3)
    quality: float | None = Field(None, ge=0, le=1, description="Of all tasks; with whose figure it is.")
    quality_source: str | None = Field(None, max_length=200)
    capabilities: list[str] | None = Field(None, max_length=50, examples=[["text", "tools"]])
    aliases: list[str] | None = Field(None, max_length=50)
    effective_at: str | None = Field(
        None, max_length=40, description="Counts from then on: a day, or a day and time (UTC). None: at once.",
        examples=["2027-01-01"],
    )  # fmt: skip


class PriceVersion(View):
    version: str
    change: int | None = Field(description="The change that made it, which can be taken back; null: the catalogue's.")
    current: bool
    scheduled: bool = Field(description="Begins later.")
    effective_at: int | None = Field(description="Unix seconds; null: since the catalogue's file says so.")
    by: str | None
    prices: dict[str, Any]


class PriceVersions(View):
    data: list[PriceVersion]


@ROUTES("GET", "/about", Rule.OPEN, About)
async def get_about(desk: TheDesk) -> Response:
    """What this is."""
    from conflux import __version__

    snapshot = desk.snapshot()
    return answer({"name": "conflux", "version": __version__, "simulated": snapshot.simulated,
                   "storefront": snapshot.catalogue.root.id})  # fmt: skip


@ROUTES("GET", "/catalogue", Rule.OPEN, PublicCatalogue)
async def get_catalogue(desk: TheDesk, storefront: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """The whole catalogue, as everybody may see it: disabled models too, what each can, costs, and cannot promise."""
    snapshot = desk.snapshot()
    catalogue = snapshot.catalogue
    if storefront is not None and storefront not in catalogue.storefronts:
        raise NoSuch([f"there is no storefront {storefront!r}"])
    names = [one for one in catalogue.storefronts if storefront in (None, one)]
    lately = await _lately(desk)
    models = [public_view(model, snapshot, lately) for name in names for model in catalogue.models_of(name)]
    fronts = [
        {"id": one.id, "name": one.name, "mount": one.mount, "billing": one.billing,
         "models": len(catalogue.models_of(one.id))}
        for one in catalogue.storefronts.values() if one.id in names
    ]  # fmt: skip
    return answer(
        {"storefronts": fronts, "models": models, "choosing": choosing(set(catalogue.models)),
         "simulated": snapshot.simulated},
        headers={"cache-control": "public, max-age=30"},
    )  # fmt: skip


@ROUTES("GET", "/catalogue/{storefront}/{model:path}", Rule.OPEN, PublicModel)
async def get_catalogue_model(storefront: Storefront, model: ModelId, desk: TheDesk) -> Response:
    """One model, as everybody may see it."""
    snapshot = desk.snapshot()
    return answer(public_view(_found(snapshot, storefront, model), snapshot, await _lately(desk)))


@ROUTES("GET", "/models", Rule.HOUSE, AdminModels, csv=True)
async def list_models(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    storefront: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[str | None, Query(pattern="^(enabled|disabled)$")] = None,
    pool: Annotated[str | None, Query(max_length=300)] = None,
    q: Annotated[str | None, Query(max_length=100, description="In its id or name.")] = None,
) -> Response:
    """Models with what stands behind them."""
    snapshot = desk.snapshot()
    lately, changed = await _lately(desk), await _changed(desk)
    rows = [
        _admin_view(model, snapshot, lately, changed)
        for name in snapshot.catalogue.storefronts
        if storefront in (None, name)
        for model in snapshot.catalogue.models_of(name)
        if (status is None or model.enabled is (status == "enabled"))
        and pool in (None, model.pool)
        and (q is None or q.lower() in model.id.lower() or q.lower() in model.name.lower())
    ]
    return listed(rows, asked, "models")


@ROUTES("GET", "/models/{storefront}/{model:path}", Rule.HOUSE, AdminModel)
async def get_model(storefront: Storefront, model: ModelId, desk: TheDesk, actor: TheActor) -> Response:
    """One model with what stands behind it."""
    snapshot = desk.snapshot()
    found = _found(snapshot, storefront, model)
    return answer(_admin_view(found, snapshot, await _lately(desk), await _changed(desk)))


@ROUTES("PATCH", "/models/{storefront}/{model:path}", Rule.HOUSE, AdminModel)
async def change_model(
    storefront: Storefront, model: ModelId, body: ModelChange, desk: TheDesk, actor: TheActor
) -> Response:
    """Switch a model on or off, change its figures or prices. It counts at once, for lists and runs."""
    found = _found(desk.snapshot(), storefront, model)
    said = body.model_dump(exclude_unset=True, exclude={"enabled", "prices", "currency", "effective_at"})
    row: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    begins = moment(body.effective_at, "effective_at")
    if body.enabled is not None and begins is not None:
        raise invalid("effective_at: a model is switched on or off at once: send that by itself", "effective_at")
    if body.prices is not None:
        if body.prices.keys().isdisjoint(_BUCKETS):
            raise invalid("prices: say at least one: a model without any could not be sold", "prices")
        # A row is laid over the one before, and this is the whole sheet: what it leaves out is not charged any more.
        row["price"] = {**dict.fromkeys(_BUCKETS), **body.prices, "currency": body.currency, "unit": 1_000_000}
    if row:
        rows = {"model": [{"storefront": storefront, "id": found.id, **row}]}
        await lay(desk, actor.name, f"{storefront}/{found.id}", rows, begins // 1000 if begins is not None else None)
    if body.enabled is not None:
        act = "models.enable" if body.enabled else "models.disable"
        await desk.do(actor.name, act, {"id": found.id, "storefront": storefront})
    return await get_model(storefront, found.id, desk, actor)


@ROUTES("GET", "/prices/{storefront}/{model:path}", Rule.HOUSE, PriceVersions)
async def list_prices(storefront: Storefront, model: ModelId, desk: TheDesk, actor: TheActor) -> Response:
    """The versions of a model's prices that admins made, the newest first, and the one in force."""
    found = _found(desk.snapshot(), storefront, model)
    current = found.price.version.partition(" ")[0]  # what follows is its day
    versions = [
        {
            "version": f"change-{one.id}",
            "change": one.id,
            "scheduled": (one.effective_at or 0) > desk.now(),
            "current": current == f"change-{one.id}",
            "effective_at": one.effective_at,
            "by": one.decided_by,
            "prices": {name: value for name, value in one.fields["price"].items() if value is not None},
        }
        for one in reversed(await desk.store.catalogue.changes(ACCEPTED))
        if one.key == (storefront, found.id) and "price" in one.fields
    ]
    if not any(one["current"] for one in versions):
        versions.append({"version": found.price.version, "change": None, "current": True, "scheduled": False,
                         "effective_at": None, "by": None, "prices": _prices(found.price)})  # fmt: skip
    return answer({"data": versions})


async def lay(desk: Desk, by: str, name: str, rows: dict[str, Any], begins: int | None = None) -> None:
    """Over the files, as an imported row. `begins`: Unix seconds; None: at once."""
    content = msgspec.json.encode(rows).decode()
    params = {"name": f"{name}.json", "content": content, "store": True, "by": by}
    await desk.do(by, "catalogue.import", params if begins is None else {**params, "effective_at": begins})


def _found(snapshot: Snapshot, storefront: str, name: str) -> Model:
    found = snapshot.catalogue.resolve(storefront, name)
    if found is None:
        raise NoSuch([f"there is no model {name!r} in the storefront {storefront!r}"])
    return found


async def _changed(desk: Desk) -> set[tuple[str, ...]]:
    return {one.key for one in await desk.store.catalogue.changes(ACCEPTED)}


async def _lately(desk: Desk) -> dict[tuple[str, str], Recent]:
    return await desk.lately.at(desk.now())


def public_view(model: Model, snapshot: Snapshot, lately: dict[tuple[str, str], Recent]) -> dict[str, Any]:
    shown = model_view(model, snapshot)
    for name in ("pool", "input_usd_per_million", "output_usd_per_million"):
        del shown[name]
    return shown | {
        "description": model.description,
        "kind": model.kind,
        "account": model.account,
        "context_text": tokens(model.context),
        "safe_context_text": tokens(model.safe_context),
        "prices": _prices(model.price),
        "tags": tags(model),
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "supported_parameters": model.supported_parameters,
        "agent": model.agent,
        "dimensions": model.dimensions,
        "lately": _shown(lately.get((model.storefront, model.id))),
    }


def _admin_view(
    model: Model, snapshot: Snapshot, lately: dict[tuple[str, str], Recent], changed: set[tuple[str, ...]]
) -> dict[str, Any]:
    return public_view(model, snapshot, lately) | {
        "pool": model.pool,
        "quality": model.quality,
        "quality_source": model.quality_source,
        "targets": [target.key for target in snapshot.targets(model, test=False)],
        "changed": (model.storefront, model.id) in changed,
    }


def _shown(one: Recent | None) -> dict[str, Any]:
    if one is None or one.requests < _ENOUGH:
        return {"uptime": None, "latency_ms": None, "first_byte_ms": None}
    good = (one.requests - one.failed) * 1000 // one.requests
    return {"uptime": f"{good // 1000}.{good % 1000:03d}", "latency_ms": one.latency_ms,
            "first_byte_ms": one.first_byte_ms}  # fmt: skip


def _prices(sheet: PriceSheet) -> dict[str, str | None]:
    found = {name: getattr(sheet, name) for name in _BUCKETS}
    return {
        name: as_listed(name, value) if value is not None else None
        for name, value in found.items()
        if value is not None or name in ("input", "output")
    }
