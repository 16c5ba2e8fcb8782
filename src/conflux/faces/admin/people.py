"""Workspaces, users and keys.

Law: the operations are the command line's. Who belongs to one workspace sees and changes that one alone; nobody gives
out more than they have: only owners make owners and admins, only the house makes admin keys.
"""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from conflux.accounts.passwords import check_password
from conflux.faces.admin.actor import Actor, Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Done, Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed
from conflux.neutral.errors import GatewayError, Kind, NoSuch

ROUTES = Routes("People")
Name = Annotated[str, Path(max_length=100, examples=["acme"])]
KeyId = Annotated[str, Path(max_length=40, examples=["key_2"])]


class Workspace(View):
    id: str = Field(examples=["ws_2"])
    name: str = Field(examples=["acme"])
    enabled: bool
    users: int
    keys: int
    created: int


class Workspaces(View):
    data: list[Workspace]
    next: str | None = None


class NewWorkspace(View):
    name: str = Field(max_length=100, examples=["acme"])


class WorkspaceChange(View):
    """What is to change; what is left out stays."""

    name: str | None = Field(None, max_length=100, examples=["acme-labs"])
    enabled: bool | None = None


class User(View):
    id: str = Field(examples=["user_2"])
    name: str = Field(examples=["ann"])
    workspace: str = Field(examples=["acme"])
    role: str = Field(examples=["member"])
    enabled: bool
    keys: int
    created: int


class Users(View):
    data: list[User]
    next: str | None = None


class NewUser(View):
    name: str = Field(max_length=100, examples=["ann"])
    role: str = Field("member", pattern="^(owner|admin|member)$")
    password: str | None = Field(None, max_length=1000, description="To sign in with; 10 to 256 characters.")


class UserChange(View):
    role: str | None = Field(None, pattern="^(owner|admin|member)$", examples=["admin"])
    enabled: bool | None = None
    password: str | None = Field(None, max_length=1000, description="A new one: every session of the user ends.")


class Key(View):
    id: str = Field(examples=["key_2"])
    name: str
    prefix: str = Field(description="How its secret begins; `web`: a session's, nobody holds it.")
    last4: str
    storefront: str
    workspace: str
    user: str
    admin: bool
    test: bool
    agent: bool
    models: list[str] | None
    created: int
    expires_at: int | None
    revoked: bool
    budget_usd: str | None
    spent_usd: str


class Keys(View):
    data: list[Key]
    next: str | None = None


class NewKey(View):
    name: str = Field("", max_length=200, examples=["laptop"])
    storefront: str | None = Field(None, max_length=100)
    workspace: str | None = Field(None, max_length=100)
    user: str = Field("default", max_length=100, examples=["ann"])
    admin: bool = False
    test: bool = False
    agent: bool = False
    models: list[str] | None = None
    budget_usd: str | None = Field(None, max_length=40, examples=["25"])
    expires: str | None = Field(None, max_length=40, description="A date, a time, or a span such as 30d.")


class MadeKey(View):
    id: str
    key: str = Field(description="The secret, shown this once.")
    notes: list[str] | None = None


# --- workspaces


@ROUTES("GET", "/workspaces", Rule.SIGNED_IN, Workspaces, csv=True)
async def list_workspaces(desk: TheDesk, actor: TheActor, asked: ThePage) -> Response:
    """The workspaces that one may see."""
    rows = (await desk.do(actor.name, "workspaces.list", {}))["workspaces"]
    return listed([row for row in rows if actor.house or row["name"] == actor.caller.workspace], asked, "workspaces")


@ROUTES("POST", "/workspaces", Rule.HOUSE, Workspace, status=201)
async def create_workspace(body: NewWorkspace, desk: TheDesk, actor: TheActor) -> Response:
    """Make a workspace."""
    return answer(await desk.do(actor.name, "workspaces.create", {"name": body.name}, body.name), 201)


@ROUTES("PATCH", "/workspaces/{name}", Rule.HOUSE, Workspace)
async def change_workspace(name: Name, body: WorkspaceChange, desk: TheDesk, actor: TheActor) -> Response:
    """Rename a workspace, switch it off or on."""
    await _workspace(desk, actor, name)
    if body.name is not None and body.name != name:  # first: it may be refused, and then nothing is to be done
        await desk.do(actor.name, "workspaces.set", {"name": name, "new_name": body.name}, name)
        name = body.name
    if body.enabled is not None:
        act = "workspaces.enable" if body.enabled else "workspaces.disable"
        await desk.do(actor.name, act, {"name": name}, name)
    return answer(await _workspace(desk, actor, name))


@ROUTES("DELETE", "/workspaces/{name}", Rule.HOUSE, Done)
async def delete_workspace(name: Name, desk: TheDesk, actor: TheActor) -> Response:
    """Remove a workspace. Refused as long as keys speak of it."""
    await desk.do(actor.name, "workspaces.delete", {"name": name}, name)
    return answer({"done": True})


async def _workspace(desk: Desk, actor: Actor, name: str) -> Any:
    found = await desk.do(actor.name, "workspaces.show", {"name": name})
    found.pop("members")
    return found


# --- users


@ROUTES("GET", "/users", Rule.ADMIN, Users, csv=True)
async def list_users(
    desk: TheDesk, actor: TheActor, asked: ThePage, workspace: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Users, of one workspace or of all that one may see."""
    where = actor.workspace(workspace)
    return listed((await desk.do(actor.name, "users.list", {"workspace": where}))["users"], asked, "users")


@ROUTES("POST", "/workspaces/{workspace}/users", Rule.ADMIN, User, status=201)
async def create_user(workspace: Name, body: NewUser, desk: TheDesk, actor: TheActor) -> Response:
    """Make a user."""
    where = actor.home(workspace)
    _may_give(actor, body.role)
    params = {"workspace": where, "name": body.name}
    if body.password is not None:
        check_password(body.password)  # before there is a user
    await desk.do(actor.name, "users.create", {**params, "role": body.role}, where)
    if body.password is not None:
        await desk.do(actor.name, "users.password", {**params, "password": body.password}, where)
    return answer(await desk.do(actor.name, "users.show", params), 201)


@ROUTES("PATCH", "/workspaces/{workspace}/users/{name}", Rule.ADMIN, User)
async def change_user(workspace: Name, name: Name, body: UserChange, desk: TheDesk, actor: TheActor) -> Response:
    """Change a user's role or password, switch them off or on."""
    where = actor.home(workspace)
    params = {"workspace": where, "name": name}
    await below(desk, actor, params)
    _not_oneself(actor, params, body)
    if body.role is not None:
        _may_give(actor, body.role)
    if body.password is not None:
        check_password(body.password)
    # what may be refused comes first: either all of it is done or nothing
    if body.enabled is not None:
        await desk.do(actor.name, "users.enable" if body.enabled else "users.disable", params, where)
    if body.role is not None:
        await desk.do(actor.name, "users.set", {**params, "role": body.role}, where)
    if body.password is not None:
        await desk.do(actor.name, "users.password", {**params, "password": body.password}, where)
    return answer(await desk.do(actor.name, "users.show", params))


@ROUTES("DELETE", "/workspaces/{workspace}/users/{name}", Rule.ADMIN, Done)
async def delete_user(workspace: Name, name: Name, desk: TheDesk, actor: TheActor) -> Response:
    """Remove a user. Refused as long as keys speak of them."""
    where = actor.home(workspace)
    params = {"workspace": where, "name": name}
    await below(desk, actor, params)
    await desk.do(actor.name, "users.delete", params, where)
    return answer({"done": True})


def _may_give(actor: Actor, role: str) -> None:
    if role != "member" and actor.rank < Rule.OWNER:
        raise GatewayError(Kind.FORBIDDEN, "only an owner makes owners and admins", param="role")


def _not_oneself(actor: Actor, params: dict[str, Any], body: UserChange) -> None:
    """So that one who may undo it is always left. Who holds an admin's key keeps that."""
    caller = actor.caller
    if caller.admin or (caller.workspace, caller.user) != (params["workspace"], params["name"]):
        return
    if body.enabled is False or body.role not in (None, caller.role):
        raise GatewayError(Kind.FORBIDDEN, "you cannot switch off yourself or change your own role: another does it")


async def below(desk: Desk, actor: Actor, params: dict[str, Any]) -> None:
    """An admin has no say over other admins and owners."""
    found = await desk.do(actor.name, "users.show", params)
    if actor.rank < Rule.OWNER and found["role"] != "member":
        raise GatewayError(Kind.FORBIDDEN, "only an owner changes owners and admins")


# --- keys


@ROUTES("GET", "/keys", Rule.SIGNED_IN, Keys, csv=True)
async def list_keys(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    workspace: Annotated[str | None, Query(max_length=100)] = None,
    user: Annotated[str | None, Query(max_length=100)] = None,
    storefront: Annotated[str | None, Query(max_length=100)] = None,
    revoked: bool | None = None,
    q: Annotated[str | None, Query(max_length=100, description="In its name or id.")] = None,
) -> Response:
    """Keys: one's own, for an admin the workspace's. Secrets are not kept, so none is shown."""
    where = actor.workspace(workspace)
    if actor.rank < Rule.ADMIN:
        user = actor.caller.user if user in (None, actor.caller.user) else ""
    rows = [
        row
        for row in (await desk.do(actor.name, "keys.list", {}))["keys"]
        if where in (None, row["workspace"])
        and (actor.house or not row["admin"])
        and user in (None, row["user"])
        and storefront in (None, row["storefront"])
        and revoked in (None, row["revoked"])
        and (q is None or q.lower() in row["name"].lower() or q == row["id"])
    ]
    return listed(rows, asked, "keys")


@ROUTES("POST", "/keys", Rule.ADMIN, MadeKey, status=201)
async def create_key(body: NewKey, desk: TheDesk, actor: TheActor) -> Response:
    """Make a key. Its secret is in this answer and nowhere else.

    Within a workspace, for a user who is there; the house makes those that are not there yet, admin keys, and
    keys that a plan pays for.
    """
    where = actor.home(body.workspace)
    if not actor.house:
        if body.admin or body.agent:
            what = "admin" if body.admin else "agent"
            raise GatewayError(Kind.FORBIDDEN, f"only the house makes {what} keys", param=what)
        await desk.do(actor.name, "users.show", {"workspace": where, "name": body.user})
    made = await desk.do(actor.name, "keys.create", {**body.model_dump(), "workspace": where}, where)
    return answer(made, 201)


@ROUTES("DELETE", "/keys/{key}", Rule.SIGNED_IN, Done)
async def revoke_key(key: KeyId, desk: TheDesk, actor: TheActor) -> Response:
    """Revoke a key: one's own, for an admin one of the workspace. It opens nothing from now on."""
    row = await own_key(desk, actor, key)
    await desk.do(actor.name, "keys.revoke", {"id": row["id"]}, row["workspace"])
    return answer({"done": True})


async def own_key(desk: Desk, actor: Actor, key: str) -> Any:
    """The key's row. Raises NoSuch for one that the actor has no business with."""
    for row in (await desk.do(actor.name, "keys.list", {}))["keys"]:
        if row["id"] == key and (
            actor.house
            or (
                row["workspace"] == actor.caller.workspace
                and (actor.rank >= Rule.ADMIN or row["user"] == actor.caller.user)
            )
        ):
            if row["admin"] and not actor.house:
                break
            return row
    raise NoSuch([f"there is no key {key!r}"])
