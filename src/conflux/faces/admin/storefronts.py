"""The public faces: what each offers, to whom, and by which rules.

Law: for the house alone. Where a face is and whose keys open it stands in the configuration; how it behaves can be
changed here, as a change of the catalogue: checked whole, listed, taken back by `reject`.
"""

from typing import Any

from fastapi import Response
from pydantic import Field

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.catalogue import Storefront as StorefrontId
from conflux.faces.admin.catalogue import lay
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed
from conflux.neutral.errors import NoSuch
from conflux.neutral.records import Storefront as Record

ROUTES = Routes("Storefronts")
_CLEARED = ("default_max_output", "default_temperature")  # null says that there is none


class StorefrontRow(View):
    id: str = Field(examples=["conflux"])
    name: str = Field(examples=["Conflux"])
    mount: str = Field(description="Where it is; / is the root.", examples=["/"])
    hosts: list[str]
    key_prefixes: list[str] = Field(examples=[["cf_live_"]])
    test_prefixes: list[str] = Field(description="Keys that run on the simulator only.", examples=[["cf_test_"]])
    agent_prefixes: list[str] = Field(description="Keys that a plan pays for.")
    list_shape: str = Field(examples=["openai"])
    error_style: str = Field(examples=["openai"])
    billing: str = Field(description="usd, tier_credits or token_credits.", examples=["usd"])
    header_prefix: str = Field(examples=["conflux"])
    margin: str = Field(description="What cost is multiplied by.", examples=["1.4"])
    fallback: bool = Field(description="A model that does not answer may be stood in for by another.")
    models: int


class StorefrontRows(View):
    data: list[StorefrontRow]
    next: str | None = None


class StorefrontWhole(StorefrontRow):
    allowed_origins: list[str] = Field(description="Browsers of these origins may call it (CORS); * for any.")
    root_paths: list[str] = Field(description="Lists at the root that are its own where no key says otherwise.")
    keyed_paths: list[str] = Field(description="Lists that nobody sees without a key.")
    model_echo: str = Field(description="What answers call their model: as requested, or as upstream.")
    strict_capabilities: bool = Field(description="What a model does not advertise is refused.")
    prefer: str = Field(description="How a model is chosen for a task: cost, balanced, speed or quality.")
    usage_cost: bool = Field(description="Answers say what they cost.")
    default_max_output: int | None
    default_temperature: float | None
    enabled_models: int
    live_models: int = Field(description="Of the enabled: something would answer now.")
    keys: int = Field(description="That are not revoked.")
    changed: bool = Field(description="An admin has said something of it over the files.")


class StorefrontChange(View):
    """How it behaves; what is left out stays."""

    name: str | None = Field(None, max_length=100, examples=["Conflux"])
    allowed_origins: list[str] | None = Field(None, max_length=100, examples=[["*"]])
    margin: str | None = Field(None, max_length=20, examples=["1.4"])
    fallback: bool | None = None
    prefer: str | None = Field(None, pattern="^(cost|balanced|speed|quality)$")
    usage_cost: bool | None = None
    strict_capabilities: bool | None = None
    default_max_output: int | None = Field(
        None, ge=1, le=1 << 40, description="In tokens, where a request says none; null: none."
    )
    default_temperature: float | None = Field(None, ge=0, le=2, description="Where a request says none; null: none.")


@ROUTES("GET", "/storefronts", Rule.HOUSE, StorefrontRows, csv=True)
async def list_storefronts(desk: TheDesk, asked: ThePage) -> Response:
    """The public faces, as the configuration and the catalogue have them."""
    rows = [_row(desk, one) for one in desk.snapshot().catalogue.storefronts.values()]
    return listed(rows, asked, "storefronts")


@ROUTES("GET", "/storefronts/{storefront}", Rule.HOUSE, StorefrontWhole)
async def get_storefront(storefront: StorefrontId, desk: TheDesk, actor: TheActor) -> Response:
    """One of them: what it offers, to whom, and by which rules."""
    snapshot = desk.snapshot()
    found = snapshot.catalogue.storefronts.get(storefront)
    if found is None:
        raise NoSuch([f"there is no storefront {storefront!r}"])
    keys = (await desk.do(actor.name, "keys.list", {}))["keys"]
    models = [one for one in snapshot.catalogue.models_of(found.id) if one.enabled]
    changes = await desk.store.catalogue.changes("accepted")
    names = StorefrontWhole.model_fields.keys() & set(Record.__struct_fields__)
    return answer(
        {
            **_row(desk, found),
            **{name: getattr(found, name) for name in names},
            "enabled_models": len(models),
            "live_models": sum(bool(snapshot.targets(one, test=False)) for one in models),
            "keys": sum(row["storefront"] == found.id and not row["revoked"] for row in keys),
            "changed": any((one.table, one.key) == ("storefront", (found.id,)) for one in changes),
        }
    )


@ROUTES("PATCH", "/storefronts/{storefront}", Rule.HOUSE, StorefrontWhole)
async def change_storefront(
    storefront: StorefrontId, body: StorefrontChange, desk: TheDesk, actor: TheActor
) -> Response:  # fmt: skip
    """Change how a storefront behaves. It counts at once; a margin changes prices from the next request on."""
    if storefront not in desk.snapshot().catalogue.storefronts:
        raise NoSuch([f"there is no storefront {storefront!r}"])
    said = body.model_dump(exclude_unset=True)
    row = {name: value for name, value in said.items() if value is not None or name in _CLEARED}
    if row:
        await lay(desk, actor.name, storefront, {"storefront": [{"id": storefront, **row}]})
    return await get_storefront(storefront, desk, actor)


def _row(desk: Desk, one: Record) -> dict[str, Any]:
    names = [name for name in StorefrontRow.model_fields if name != "models"]
    return {
        **{name: getattr(one, name) for name in names},
        "models": len(desk.snapshot().catalogue.models_of(one.id)),
    }
