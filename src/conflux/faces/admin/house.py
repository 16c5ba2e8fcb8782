"""What stands behind the models: pools, targets and their health, providers, their credentials; the server itself.

Law: for the house alone. A credential goes in and never comes out. A pool's weights change like any row of the
catalogue: checked whole, taken back by `reject`.
"""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.catalogue import lay
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Done, Routes, TheActor, TheDesk, ThePage, View, Wide
from conflux.faces.admin.shape import answer, listed, moment
from conflux.neutral.errors import NoSuch
from conflux.neutral.money import PriceSheet, as_listed, usd
from conflux.neutral.records import Pool as PoolRecord
from conflux.neutral.records import Provider as ProviderRecord
from conflux.neutral.records import Target as TargetRecord
from conflux.relay.snapshot import Snapshot

ROUTES = Routes("House")
_DAY_MS = 86_400_000
PoolId = Annotated[str, Path(max_length=300, examples=["deepseek-v4-pro"])]
ProviderId = Annotated[str, Path(max_length=100, examples=["openai"])]


class TargetHealth(View):
    in_flight: int
    failures: int = Field(description="In a row.")
    ejected: bool
    ejected_for_seconds: int | None = Field(description="Until a probe may bring it back.")
    ejected_times: int
    limit: int | None = Field(description="In flight at once, since the provider said that it was too much.")
    first_token_ms: int | None
    missing: str | None = Field(description="Why it is tried last: its provider does not list it.")


class Target(View):
    key: str = Field(examples=["openai/gpt-5.2/cloud"])
    provider: str
    model: str
    variant: str
    weight: int
    effort: str | None
    live: bool
    selected: int = Field(description="How often it was asked in the last 24 hours.")
    provider_cost_usd: str = Field(description="What that cost the house.")
    health: TargetHealth


class Pool(View):
    id: str
    models: list[str] = Field(description="storefront/id of the models it serves.")
    live: bool
    simulated: bool
    targets: list[Target]


class Pools(View):
    data: list[Pool]
    next: str | None = None


class TargetUse(View):
    at: int = Field(description="When the span begins, in Unix seconds.")
    target: str = Field(examples=["openai/gpt-5.2/cloud"])
    pools: list[str]
    selected: int = Field(description="How often it was asked.")
    share: str = Field(description="Of all that was asked of its pools in this span.", examples=["0.750"])
    provider_cost_usd: str = Field(examples=["0.0125"])


class TargetUses(View):
    data: list[TargetUse]
    next: str | None = None


class Weights(View):
    """New weights of targets, by their key; the others stay."""

    weights: dict[str, int] = Field(examples=[{"openai/gpt-5.2/cloud": 3}])


class ProviderCredential(View):
    name: str = Field(description="env:NAME, file:PATH, or the id of one that was entered.")
    there: bool
    refused: str | None = Field(description="Why the provider did not take it; until it works again.")


class Provider(View):
    id: str
    label: str
    base_url: str
    dialects: list[str]
    lane: str
    auth: str
    currency: str
    configured: bool = Field(description="The owner's own row.")
    live: bool
    pools: int
    credentials: list[ProviderCredential]


class Providers(View):
    data: list[Provider]
    next: str | None = None


class Credential(View):
    id: str = Field(examples=["cred_1"])
    provider: str
    label: str
    last4: str
    created: int
    created_by: str


class Credentials(View):
    data: list[Credential]
    next: str | None = None


class NewCredential(View):
    value: str = Field(min_length=1, max_length=20_000, description="Written once, never shown.", examples=["sk-…"])
    label: str = Field("", max_length=100)


class Status(Wide):
    version: str
    address: str
    uptime_seconds: int
    in_flight: int
    simulated: bool
    problems: dict[str, str]
    refused_credentials: dict[str, str]
    missing_targets: dict[str, str]
    upstreams: dict[str, Any]


class Reloaded(View):
    version: int
    models: int
    restart: list[str] = Field(description="What changed and counts only after a restart.")


@ROUTES("GET", "/pools", Rule.HOUSE, Pools, csv=True)
async def list_pools(
    desk: TheDesk, asked: ThePage, q: Annotated[str | None, Query(max_length=100, description="In its id.")] = None
) -> Response:
    """Pools and their targets: weights, live health, how often each was chosen."""
    snapshot = desk.snapshot()
    chosen = await desk.store.receipts.chosen(int(desk.now() * 1000) - _DAY_MS)
    rows = [
        _pool(one, snapshot, desk, chosen)
        for one in sorted(snapshot.catalogue.pools.values(), key=lambda one: one.id)
        if q is None or q.lower() in one.id.lower()
    ]
    return listed(rows, asked, "pools")


@ROUTES("GET", "/pools/{pool:path}", Rule.HOUSE, Pool)
async def get_pool(pool: PoolId, desk: TheDesk) -> Response:
    """One pool."""
    chosen = await desk.store.receipts.chosen(int(desk.now() * 1000) - _DAY_MS)
    return answer(_pool(_found(desk, pool), desk.snapshot(), desk, chosen))


@ROUTES("PATCH", "/pools/{pool:path}", Rule.HOUSE, Pool)
async def change_pool(pool: PoolId, body: Weights, desk: TheDesk, actor: TheActor) -> Response:
    """Change the weights of a pool's targets."""
    found = _found(desk, pool)
    unknown = body.weights.keys() - {target.key for target in found.targets}
    if unknown:
        raise NoSuch([f"the pool {pool!r} has no target {name[:200]!r}" for name in sorted(unknown)])
    rows = [_target_row(one, body.weights.get(one.key, one.weight)) for one in found.targets]
    await lay(desk, actor.name, found.id, {"pool": [{"id": found.id, "hedge": found.hedge, "target": rows}]})
    return await get_pool(found.id, desk)


_STEPS = {"hour": 3_600_000, "day": _DAY_MS}
_FAR = 100  # days


@ROUTES("GET", "/targets/usage", Rule.HOUSE, TargetUses, csv=True)
async def list_target_usage(
    desk: TheDesk,
    asked: ThePage,
    pool: Annotated[str | None, Query(max_length=300)] = None,
    target: Annotated[str | None, Query(max_length=300)] = None,
    by: Annotated[str, Query(pattern="^(hour|day)$")] = "hour",
    since: Annotated[str | None, Query(max_length=40, description="None: a day ago, or by day thirty.")] = None,
    until: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Which targets were chosen over time, and what they cost the house."""
    last = moment(until, "until") or int(desk.now() * 1000)
    first = moment(since, "since")
    first = first if first is not None else last - (_DAY_MS if by == "hour" else 30 * _DAY_MS)
    first, step = max(first, last - _FAR * _DAY_MS), _STEPS[by]
    homes = _homes(desk.snapshot())
    chosen = [
        row
        for row in await desk.store.receipts.chosen_over(first - first % step, last, step)
        if pool is None or pool in homes.get(row[1], ())
    ]
    rows = _uses(chosen, homes, step)
    return listed([row for row in rows if target in (None, row["target"])], asked, "targets")


def _homes(snapshot: Snapshot) -> dict[str, list[str]]:
    """In which pools each target is."""
    found: dict[str, list[str]] = {}
    for pool in snapshot.catalogue.pools.values():
        played = [one.target for one in snapshot.pools.get(pool.id, ()) if one.live.provider.simulated]
        for one in (*pool.targets, *played):
            found.setdefault(one.key, []).append(pool.id)
    return found


def _uses(chosen: list[tuple[int, str, int, int]], homes: dict[str, list[str]], step: int) -> list[dict[str, Any]]:
    counts = {(number, name): count for number, name, count, _ in chosen}
    rivals: dict[str, set[str]] = {}
    for name in {one[1] for one in chosen}:
        pools = set(homes.get(name, ()))
        rivals[name] = {other for other, where in homes.items() if pools & set(where)} | {name}
    rows = []
    for number, name, count, cost in chosen:
        total = sum(counts.get((number, other), 0) for other in rivals[name])
        share = count * 1000 // total
        rows.append({"at": number * step // 1000, "target": name, "pools": homes.get(name, []), "selected": count,
                     "share": f"{share // 1000}.{share % 1000:03d}", "provider_cost_usd": usd(cost)})  # fmt: skip
    return rows


@ROUTES("GET", "/providers", Rule.HOUSE, Providers, csv=True)
async def list_providers(
    desk: TheDesk, asked: ThePage, live: bool | None = None, configured: bool | None = None
) -> Response:
    """Who can be called, and with which credentials. None of them is shown."""
    snapshot = desk.snapshot()
    rows = [_provider(one, snapshot, desk) for _, one in sorted(snapshot.catalogue.providers.items())]
    rows = [row for row in rows if live in (None, row["live"]) and configured in (None, row["configured"])]
    return listed(rows, asked, "providers")


@ROUTES("GET", "/credentials", Rule.HOUSE, Credentials, csv=True)
async def list_credentials(
    desk: TheDesk, actor: TheActor, asked: ThePage, provider: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """The credentials that were entered here: whose, by whom, and how they end."""
    rows = (await desk.do(actor.name, "credentials.list", {}))["credentials"]
    return listed([row for row in rows if provider in (None, row["provider"])], asked, "credentials")


@ROUTES("POST", "/providers/{provider}/credentials", Rule.HOUSE, Credential, status=201)
async def add_credential(provider: ProviderId, body: NewCredential, desk: TheDesk, actor: TheActor) -> Response:
    """Enter a credential. It is sealed, counts at once, and is never shown again."""
    params = {"provider": provider, "value": body.value, "label": body.label, "by": actor.name}
    return answer(await desk.do(actor.name, "credentials.add", params), 201)


@ROUTES("DELETE", "/credentials/{credential}", Rule.HOUSE, Done)
async def remove_credential(
    credential: Annotated[str, Path(max_length=40, examples=["cred_1"])], desk: TheDesk, actor: TheActor
) -> Response:
    """Remove a credential that was entered here. The provider is not called with it any more."""
    await desk.do(actor.name, "credentials.remove", {"id": credential})
    return answer({"done": True})


@ROUTES("GET", "/server", Rule.HOUSE, Status)
async def get_server(desk: TheDesk, actor: TheActor) -> Response:
    """How the server is: what is under way, what is wrong, which connections are open."""
    return answer(await desk.do(actor.name, "server.status", {}))


@ROUTES("POST", "/server/reload", Rule.HOUSE, Reloaded)
async def reload_server(desk: TheDesk, actor: TheActor) -> Response:
    """Read configuration and catalogue again. A broken one changes nothing."""
    return answer(await desk.do(actor.name, "server.reload", {}))


def _found(desk: Desk, name: str) -> PoolRecord:
    found = desk.snapshot().catalogue.pools.get(name)
    if found is None:
        raise NoSuch([f"there is no pool {name!r}"])
    return found


def _pool(pool: PoolRecord, snapshot: Snapshot, desk: Desk, chosen: dict[str, tuple[int, int]]) -> dict[str, Any]:
    live = {target.key for target in snapshot.pools.get(pool.id, ())}
    played = [one for one in snapshot.pools.get(pool.id, ()) if one.live.provider.simulated]
    return {
        "id": pool.id,
        "models": [f"{one.storefront}/{one.id}" for one in snapshot.catalogue.models.values() if one.pool == pool.id],
        "live": bool(live),
        "simulated": bool(played),
        "targets": [
            _target(one, desk, chosen, live=one.key in live) for one in (*pool.targets, *(one.target for one in played))
        ],
    }


def _target(
    one: TargetRecord, desk: Desk, chosen: dict[str, tuple[int, int]], *, live: bool
) -> dict[str, Any]:  # fmt: skip
    health = desk.parts.health.of(one.key)
    now = desk.parts.clock.monotonic()
    selected, cost = chosen.get(one.key, (0, 0))
    return {
        "key": one.key,
        "provider": one.provider,
        "model": one.model,
        "variant": one.variant,
        "weight": one.weight,
        "effort": one.effort,
        "live": live,
        "selected": selected,
        "provider_cost_usd": usd(cost),
        "health": {
            "in_flight": health.in_flight,
            "failures": health.failures,
            "ejected": health.ejected,
            "ejected_for_seconds": max(0, round(health.ejected_until - now)) if health.ejected else None,
            "ejected_times": health.ejected_times,
            "limit": round(health.limit) if health.limit is not None else None,
            "first_token_ms": round(health.latency * 1000) if health.latency is not None else None,
            "missing": health.missing,
        },
    }


def _target_row(one: TargetRecord, weight: int) -> dict[str, Any]:
    """As a file of the catalogue has it."""
    row: dict[str, Any] = {"provider": one.provider, "model": one.model, "variant": one.variant, "weight": weight}
    if one.effort is not None:
        row["effort"] = one.effort
    if one.cost is not None:
        row["cost"] = _sheet_row(one.cost)
    return row


def _sheet_row(sheet: PriceSheet) -> dict[str, Any]:
    """As a file of the catalogue has it, exactly."""
    plain = ("version", "effective_at", "rate")
    found = {name: getattr(sheet, name) for name in PriceSheet.__struct_fields__ if name not in plain}
    row: dict[str, Any] = {name: as_listed(name, value) for name, value in found.items() if value is not None}
    return {**row, "currency": sheet.rate.currency, "unit": 1_000_000, "effective_at": sheet.effective_at}


def _provider(one: ProviderRecord, snapshot: Snapshot, desk: Desk) -> dict[str, Any]:
    live = {
        target.live.provider.id: target.live for targets in snapshot.pools.values() for target in targets
    }.get(one.id)  # fmt: skip
    there = {credential.name for credential in live.credentials} if live is not None else set()
    refused = desk.parts.health.refused()
    return {
        "id": one.id,
        "label": one.label,
        "base_url": one.base_url,
        "dialects": one.dialects,
        "lane": one.lane,
        "auth": one.auth,
        "currency": one.currency,
        "configured": one.configured,
        "live": live is not None,
        "pools": sum(any(target.provider == one.id for target in pool.targets) for pool in
                     snapshot.catalogue.pools.values()),
        "credentials": [
            {"name": name, "there": f"{one.id}#{name}" in there, "refused": refused.get(f"{one.id}#{name}")}
            for name in one.credentials
        ],
    }  # fmt: skip
