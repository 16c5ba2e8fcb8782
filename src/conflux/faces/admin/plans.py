"""What pays beside money: subscription plans and who is on one, credits and their grants.

Law: the house gives both; a workspace's people see what is theirs, with what is left and when more of it is free.
Credits are exact decimal texts.
"""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from conflux.faces.admin.actor import Actor, Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.limits import OfKind, Owner, owned
from conflux.faces.admin.people import own_key
from conflux.faces.admin.routes import Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed
from conflux.faces.key_view import window_view
from conflux.neutral.errors import NoSuch

ROUTES = Routes("Plans and credits")
_Where = Annotated[str | None, Query(max_length=100, description="A workspace.")]


class PlanWindow(View):
    window: str = Field(examples=["5 hours"])
    requests: int | None = Field(description="How many begin within the window; null: as many as one likes.")
    tokens: int | None


class Plan(View):
    id: str = Field(examples=["agents"])
    name: str
    storefront: str = Field(examples=["llmbase"])
    default: bool = Field(description="What a new agent key's user gets where nothing else is said.")
    windows: list[PlanWindow]


class Plans(View):
    data: list[Plan]
    next: str | None = None


class WindowUse(View):
    window: str = Field(examples=["5 hours"])
    requests: int
    requests_limit: int | None
    tokens: int
    tokens_limit: int | None
    frees_at: str | None = Field(description="When the oldest of what is counted leaves the window.")


class Subscription(View):
    kind: str = Field(description="workspace, user or key.", examples=["user"])
    owner: str = Field(examples=["acme/ann"])
    plan: str = Field(examples=["agents"])
    offered: bool = Field(description="The catalogue still has this plan.")
    since: str | None = Field(examples=["2026-11-01T00:00:00Z"])
    windows: list[WindowUse] = Field(description="What is used of each of the plan's windows.")


class Subscriptions(View):
    data: list[Subscription]
    next: str | None = None


class NewSubscription(View):
    plan: str = Field(max_length=200, examples=["agents"])


class Subscribed(View):
    kind: str = Field(examples=["user"])
    owner: str = Field(examples=["acme/ann"])
    plan: str | None = Field(examples=["agents"])


class CreditBalance(View):
    workspace: str = Field(examples=["acme"])
    credits: str = Field(description="Granted, not expired and not spent.", examples=["970.5"])
    held: str = Field(description="Of them, held for requests under way.", examples=["0"])


class CreditBalances(View):
    data: list[CreditBalance]
    next: str | None = None


class Grant(View):
    id: str = Field(examples=["grant_1"])
    workspace: str = Field(examples=["acme"])
    credits: str = Field(examples=["1000"])
    left: str = Field(examples=["970.5"])
    created: str | None = Field(examples=["2026-11-01T00:00:00Z"])
    expires: str | None
    status: str = Field(description="open, spent, expired or revoked.", examples=["open"])
    note: str


class Grants(View):
    data: list[Grant]
    next: str | None = None


class NewGrant(View):
    workspace: str = Field(max_length=100, examples=["acme"])
    credits: str = Field(max_length=40, examples=["1000"])
    expires: str | None = Field(None, max_length=40, description="A date, a time, or a span such as 30d.")
    note: str = Field("", max_length=200)


class Granted(View):
    id: str = Field(examples=["grant_1"])
    workspace: str = Field(examples=["acme"])
    credits: str = Field(examples=["1000"])
    balance_credits: str = Field(examples=["1000"])
    held_credits: str = Field(examples=["0"])


class Revoked(View):
    id: str = Field(examples=["grant_1"])
    revoked: bool
    left_credits: str = Field(description="What was left of it, and is gone.", examples=["970.5"])


# --- plans


@ROUTES("GET", "/plans", Rule.SIGNED_IN, Plans, csv=True)
async def list_plans(desk: TheDesk, actor: TheActor, asked: ThePage) -> Response:
    """The plans of the catalogue, and what each lets be used."""
    return listed((await desk.do(actor.name, "plans.list", {}))["plans"], asked, "plans")


@ROUTES("GET", "/subscriptions", Rule.SIGNED_IN, Subscriptions, csv=True)
async def list_subscriptions(
    desk: TheDesk, actor: TheActor, asked: ThePage, kind: Annotated[str | None, Query(max_length=20)] = None
) -> Response:
    """Who is on which plan, what of it is used and when more is free. A member sees what pays for them."""
    mine = await owned(desk, actor)
    rows = (await desk.do(actor.name, "plans.list", {}))["subscriptions"]
    rows = [row for row in rows if mine(row) and kind in (None, row["kind"])]
    numbers = {(one.kind, one.owner): one.id for one in await desk.store.subscriptions.rows()}
    plans = desk.snapshot().catalogue.plans
    for row in rows:
        plan, number = plans.get(row["plan"]), numbers.get((row["kind"], row["owner"]))
        known = await desk.store.subscriptions.standing(number, plan) if plan is not None and number else []
        row["windows"] = [window_view(one) for one in known]
    return listed(rows, asked, "subscriptions")


@ROUTES("PUT", "/subscriptions/{kind}/{owner:path}", Rule.HOUSE, Subscribed)
async def subscribe(kind: OfKind, owner: Owner, body: NewSubscription, desk: TheDesk, actor: TheActor) -> Response:
    """Put a workspace, a user or a key on a plan; the one they were on ends."""
    whose, workspace = await _named(desk, actor, kind, owner)
    return answer(await desk.do(actor.name, "plans.subscribe", {**whose, "plan": body.plan}, workspace))


@ROUTES("DELETE", "/subscriptions/{kind}/{owner:path}", Rule.HOUSE, Subscribed)
async def unsubscribe(kind: OfKind, owner: Owner, desk: TheDesk, actor: TheActor) -> Response:
    """End a subscription: from now on the owner pays as everybody does."""
    whose, workspace = await _named(desk, actor, kind, owner)
    return answer(await desk.do(actor.name, "plans.unsubscribe", whose, workspace))


async def _named(desk: Desk, actor: Actor, kind: str, owner: str) -> tuple[dict[str, Any], str]:
    """The owner as the operations name them, and their workspace."""
    if kind == "key":
        row = await own_key(desk, actor, owner)
        return {"key": row["id"]}, row["workspace"]
    workspace, _, user = owner.partition("/")
    if bool(user) is not (kind == "user"):
        raise NoSuch([f"there is no {kind} {owner!r}"])
    return ({"workspace": workspace, "user": user} if user else {"workspace": workspace}), workspace


# --- credits


@ROUTES("GET", "/credits", Rule.SIGNED_IN, CreditBalances, csv=True)
async def list_credits(desk: TheDesk, actor: TheActor, asked: ThePage, workspace: _Where = None) -> Response:
    """What workspaces hold in credits; one's own, or for the house all that were ever given some."""
    return listed((await _credits(desk, actor, workspace))["balances"], asked, "credits")


@ROUTES("GET", "/credits/grants", Rule.ADMIN, Grants, csv=True)
async def list_grants(desk: TheDesk, actor: TheActor, asked: ThePage, workspace: _Where = None) -> Response:
    """Credits as they were given, the newest first, and what is left of each."""
    return listed((await _credits(desk, actor, workspace))["grants"][::-1], asked, "grants")


@ROUTES("POST", "/credits/grants", Rule.HOUSE, Granted, status=201)
async def grant_credits(body: NewGrant, desk: TheDesk, actor: TheActor) -> Response:
    """Give a workspace credits. From its first grant on it pays with them."""
    return answer(await desk.do(actor.name, "credits.grant", body.model_dump(), body.workspace), 201)


@ROUTES("DELETE", "/credits/grants/{grant}", Rule.HOUSE, Revoked)
async def revoke_grant(
    grant: Annotated[str, Path(max_length=40, examples=["grant_1"])], desk: TheDesk, actor: TheActor
) -> Response:
    """Take back what is left of a grant. What was spent of it stays spent."""
    return answer(await desk.do(actor.name, "credits.revoke", {"id": grant}))


async def _credits(desk: Desk, actor: Actor, workspace: str | None) -> Any:
    where = actor.workspace(workspace)
    return await desk.do(actor.name, "credits.list", {"workspace": where} if where is not None else {})
