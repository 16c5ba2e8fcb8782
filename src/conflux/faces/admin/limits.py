"""Budgets and policies, and what they leave of the catalogue for a key.

Law: a workspace's own limits are the house's to set; its admins set those of its users and keys. What a preview shows
is decided by the code that decides the list and the run.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from conflux.faces.admin.actor import Actor, Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.people import own_key
from conflux.faces.admin.routes import Done, Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed
from conflux.neutral.errors import GatewayError, Kind, NoSuch

ROUTES = Routes("Limits")
OfKind = Annotated[str, Path(pattern="^(workspace|user|key)$", examples=["user"])]
BudgetKind = Annotated[str, Path(pattern="^(workspace|user|key|storefront)$", examples=["user"])]
Owner = Annotated[str, Path(max_length=201, description="acme, acme/ann or key_2.", examples=["acme/ann"])]
_KINDS = ("workspace", "user", "key")


class Budget(View):
    kind: str = Field(examples=["user"])
    owner: str = Field(examples=["acme/ann"])
    window: str = Field(examples=["month"])
    cap_usd: str = Field(examples=["100"])
    spent_usd: str = Field(examples=["12.5"])
    held_usd: str = Field(examples=["0"])
    left_usd: str = Field(description="What may still be asked for.", examples=["87.5"])
    resets_at: str | None = Field(description="When the window ends; null: a total never does.",
                                  examples=["2026-12-01T00:00:00Z"])  # fmt: skip


class Budgets(View):
    data: list[Budget]
    next: str | None = None


class NewBudget(View):
    usd: str | None = Field(max_length=40, description="The cap; null takes it away.", examples=["100"])
    window: str = Field("total", pattern="^(total|day|week|month)$")


class SetBudget(View):
    kind: str
    owner: str
    window: str
    cap_usd: str | None


class Policy(View):
    id: str
    kind: str
    owner: str
    enabled: bool
    terms: dict[str, Any] = Field(description="allow, deny, entitle, overrides, rates: as `conflux policies` has them.")
    changed: int


class Policies(View):
    data: list[Policy]
    next: str | None = None


class PolicyChange(View):
    """`terms`: what changes; null takes a field away."""

    terms: dict[str, Any] | None = Field(None, examples=[{"deny": ["openrouter/*"], "requests_per_minute": 60}])
    enabled: bool | None = None


class PreviewAsked(View):
    key: str = Field(max_length=40, examples=["key_2"])
    client: str | None = Field(None, max_length=40, description="claude-code or codex, as if one of them asked.")
    storefront: str | None = Field(None, max_length=100)


class PreviewRow(View):
    id: str
    listed: bool
    status: str | None
    served: str | None = Field(description="What would answer; null where nothing would.")
    reason: str | None = Field(description="Why it is not listed or not itself.")


class Preview(View):
    key: str
    storefront: str
    client: str | None
    problem: str | None = Field(description="Why the key opens nothing at all.")
    policies: list[str]
    models: list[PreviewRow]


@ROUTES("GET", "/budgets", Rule.SIGNED_IN, Budgets, csv=True)
async def list_budgets(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    owner: Annotated[str | None, Query(max_length=201)] = None,
) -> Response:
    """Budgets, what of them is spent, held and left, and when they begin anew. A member sees those they live by."""
    rows = (await desk.do(actor.name, "budgets.list", {}))["budgets"]
    mine = await owned(desk, actor)
    return listed([row for row in rows if mine(row) and kind in (None, row["kind"]) and owner in (None, row["owner"])],
                  asked, "budgets")  # fmt: skip


@ROUTES("PUT", "/budgets/{kind}/{owner:path}", Rule.ADMIN, SetBudget)
async def set_budget(kind: BudgetKind, owner: Owner, body: NewBudget, desk: TheDesk, actor: TheActor) -> Response:
    """Set a cap, or take it away. A storefront's is the house's to set."""
    if kind == "storefront":
        if not actor.house:
            raise GatewayError(Kind.FORBIDDEN, "the budget of a storefront is the house's to set")
        whose, workspace = {"storefront": owner}, None
    else:
        whose, workspace = await _owner(desk, actor, kind, owner, change=True)
    params = {**whose, "usd": body.usd, "window": body.window}
    return answer(await desk.do(actor.name, "budgets.set", params, workspace))


@ROUTES("GET", "/policies", Rule.ADMIN, Policies, csv=True)
async def list_policies(
    desk: TheDesk, actor: TheActor, asked: ThePage, kind: Annotated[str | None, Query(max_length=20)] = None
) -> Response:
    """Policies, the house's view of all, an admin's of the workspace."""
    rows = (await desk.do(actor.name, "policies.list", {}))["policies"]
    mine = await owned(desk, actor)
    return listed([row for row in rows if mine(row) and kind in (None, row["kind"])], asked, "policies")


@ROUTES("POST", "/policies/preview", Rule.SIGNED_IN, Preview)
async def preview_policies(body: PreviewAsked, desk: TheDesk, actor: TheActor) -> Response:
    """What a key would see, and why: decided by the code that decides the list and the run."""
    row = await own_key(desk, actor, body.key)
    if not actor.house and body.storefront not in (None, row["storefront"]):
        raise NoSuch([f"there is no storefront {body.storefront!r} for this key"])
    return answer(await desk.do(actor.name, "policies.preview", body.model_dump()))


@ROUTES("GET", "/policies/{kind}/{owner:path}", Rule.ADMIN, Policy)
async def get_policy(kind: OfKind, owner: Owner, desk: TheDesk, actor: TheActor) -> Response:
    """One policy."""
    whose, _ = await _owner(desk, actor, kind, owner, change=False)
    return answer(await desk.do(actor.name, "policies.show", whose))


@ROUTES("PUT", "/policies/{kind}/{owner:path}", Rule.ADMIN, Policy)
async def change_policy(kind: OfKind, owner: Owner, body: PolicyChange, desk: TheDesk, actor: TheActor) -> Response:
    """Make or change a policy, switch it on or off."""
    whose, workspace = await _owner(desk, actor, kind, owner, change=True)
    if body.terms is not None:
        if not actor.house and "entitle" in body.terms:
            raise GatewayError(Kind.FORBIDDEN, "entitlements are the house's to give", param="terms.entitle")
        await desk.do(actor.name, "policies.set", {**whose, "terms": body.terms}, workspace)
    if body.enabled is not None:
        act = "policies.enable" if body.enabled else "policies.disable"
        await desk.do(actor.name, act, whose, workspace)
    return answer(await desk.do(actor.name, "policies.show", whose))


@ROUTES("DELETE", "/policies/{kind}/{owner:path}", Rule.ADMIN, Done)
async def delete_policy(kind: OfKind, owner: Owner, desk: TheDesk, actor: TheActor) -> Response:
    """Remove a policy."""
    whose, workspace = await _owner(desk, actor, kind, owner, change=True)
    await desk.do(actor.name, "policies.delete", whose, workspace)
    return answer({"done": True})


async def _owner(
    desk: Desk, actor: Actor, kind: str, owner: str, *, change: bool
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """The owner as the operations name them, and their workspace. Raises NoSuch for another's, GatewayError where the
    limit is not the actor's to change: a workspace's, and those of whoever stands as high as they."""
    if kind == "key":
        row = await own_key(desk, actor, owner)
        if change:
            await _below(desk, actor, row["workspace"], row["user"])
        return {"key": row["id"]}, row["workspace"]
    name, _, user = owner.partition("/")
    workspace = actor.home(name)
    if kind == "workspace":
        if user:
            raise NoSuch([f"there is no workspace {owner!r}"])
        if change and not actor.house:
            raise GatewayError(Kind.FORBIDDEN, "the limits of a workspace are the house's to set")
        return {"workspace": workspace}, workspace
    if change:
        await _below(desk, actor, workspace, user)
    return {"workspace": workspace, "user": user}, workspace


async def _below(desk: Desk, actor: Actor, workspace: str, user: str) -> None:
    """Nobody lifts a limit of their own, or of those above."""
    found = await desk.do(actor.name, "users.show", {"workspace": workspace, "name": user})
    rank = {"member": Rule.SIGNED_IN, "admin": Rule.ADMIN, "owner": Rule.OWNER}[found["role"]]
    if not actor.house and rank >= actor.rank:
        raise GatewayError(Kind.FORBIDDEN, "these limits are set by somebody above")


async def owned(desk: Desk, actor: Actor) -> Callable[[dict[str, Any]], bool]:
    """Which rows of owners are the actor's to see: the house's all; an admin's the workspace's; a member's their own,
    and the workspace's own that weigh on them too."""
    if actor.house:
        return lambda row: True
    caller, admin = actor.caller, actor.rank >= Rule.ADMIN
    keys = (await desk.do(actor.name, "keys.list", {}))["keys"]
    own = {row["id"] for row in keys if row["workspace"] == caller.workspace and (admin or row["user"] == caller.user)}
    names = {caller.workspace, f"{caller.workspace}/{caller.user}"}

    def mine(row: dict[str, Any]) -> bool:
        if row["kind"] not in _KINDS:
            return False
        if row["kind"] == "key":
            return row["owner"] in own
        return row["owner"].partition("/")[0] == caller.workspace if admin else row["owner"] in names

    return mine
