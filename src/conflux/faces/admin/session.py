"""Signing in and out, and the sessions that last.

Law: a new session has a new secret, whatever cookie was sent with the request. A failed attempt tells nothing of why;
each is counted before the password is looked at.
"""

import asyncio
from typing import Annotated, Any, ClassVar

from fastapi import Path, Request, Response
from pydantic import Field

from conflux.accounts.passwords import Busy, check_password, hash_password, wait_after
from conflux.faces.admin.actor import Actor, Rule, actor_of
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.people import below
from conflux.faces.admin.routes import MaybeActor, Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed, nothing
from conflux.faces.cookies import csrf_of, set_cookie
from conflux.neutral.accounts import Act, SessionRow
from conflux.neutral.errors import GatewayError, Kind, NoSuch, invalid
from conflux.neutral.people import DEFAULT
from conflux.neutral.records import Caller, Storefront
from conflux.policy.key import check_caller
from conflux.stores.sessions import SESSION_ID, session_number

ROUTES = Routes("Session")
_WRONG = "the key, or the name and password, are not right"
_AGENT = b"user-agent"


class SignIn(View):
    """An admin's key, or a user's name and password."""

    model_config: ClassVar = {
        **View.model_config,
        "json_schema_extra": {"examples": [{"workspace": "acme", "user": "ann", "password": "correct horse battery"}]},
    }

    key: str | None = Field(None, max_length=200, description="An admin's key.", examples=["cf_live_…"])
    workspace: str = Field(DEFAULT, max_length=100)
    user: str | None = Field(None, max_length=100, examples=["ann"])
    password: str | None = Field(None, max_length=1000, examples=["correct horse battery"])
    storefront: str | None = Field(None, max_length=100, description="Whose models it uses; null: the root's.")


class Session(View):
    """Who is signed in; what they are here."""

    signed_in: bool
    workspace: str | None = None
    user: str | None = None
    role: str | None = Field(None, description="owner, admin or member, in the workspace.")
    house: bool = Field(False, description="May administer the whole gateway.")
    by_key: bool = Field(False, description="Signed in with an admin's key.")
    key: str | None = Field(None, description="The key whose name stands on this session's receipts.")
    storefront: str | None = None
    expires_at: int | None = None
    conversations: bool = Field(False, description="May the chat's conversations be kept here?")
    csrf: str | None = Field(None, description="Send it as X-Conflux-CSRF with whatever changes something.")


class NewStorefront(View):
    storefront: str = Field(max_length=100, examples=["tokenflux"])


class SessionInfo(View):
    id: str
    user: str
    workspace: str
    by_key: bool
    created: int
    expires_at: int
    agent: str
    current: bool


class Sessions(View):
    data: list[SessionInfo]
    next: str | None = None


class NewPassword(View):
    old: str = Field(max_length=1000, examples=["correct horse battery"])
    new: str = Field(max_length=1000, description="10 to 256 characters.", examples=["a staple, correct"])


@ROUTES("POST", "/session", Rule.OPEN, Session, status=201, errors=(401, 403, 429))
async def sign_in(request: Request, body: SignIn, desk: TheDesk) -> Response:
    """Sign in, with an admin's key or as a user with a password.

    The answer sets the session's cookie, which no script can read, and says the word that goes into `X-Conflux-CSRF`.
    """
    if (body.key is None) == (body.user is None or body.password is None):
        raise invalid("send a key, or user and password", "key")
    caller = await _by_key(desk, body.key) if body.key is not None else await _by_password(request, body, desk)
    agent = dict(request.scope["headers"]).get(_AGENT, b"").decode("latin-1")
    agent = "".join(one for one in agent if one.isprintable())
    storefront = _front(desk, body.storefront).id
    secret = await desk.store.sessions.open(
        caller.user_id, caller.key_id if body.key is not None else None, storefront, desk.session_seconds, agent
    )
    opened = await desk.find(secret)
    if opened is None:
        raise GatewayError(Kind.UNAUTHENTICATED, _WRONG)
    actor = actor_of(opened, secret)
    await desk.store.audit.add(Act(actor=actor.name, act="session.open", workspace=opened.workspace))
    return answer(_shown(actor, desk), 201, {"set-cookie": _cookie(request, secret, desk.session_seconds)})


async def _by_key(desk: Desk, key: str) -> Caller:
    """The key has 256 bits of chance: nobody guesses it, and nobody is locked out of it."""
    caller = await desk.find(key)
    if caller is None or caller.session is not None:
        raise GatewayError(Kind.UNAUTHENTICATED, _WRONG)
    check_caller(caller, desk.now())
    if not caller.admin:
        raise GatewayError(Kind.FORBIDDEN, "this is no admin's key: sign in as a user, with a password")
    return caller


async def _by_password(request: Request, body: SignIn, desk: Desk) -> Caller:
    workspace, user, password = body.workspace, body.user or "", body.password or ""
    address = request.client.host if request.client is not None else "nowhere"
    account, place = f"user:{workspace}/{user}", f"from:{address}"
    known = await desk.store.sessions.password(workspace, user)
    if not await _right(desk, (account, place), known, password) or known is None:
        whose = workspace if known is not None else None
        target = f"{workspace}/{user}"[:200]
        await desk.store.audit.add(
            Act(actor=address, act="session.open", target=target, outcome="refused", workspace=whose)
        )
        raise GatewayError(Kind.UNAUTHENTICATED, _WRONG)
    await desk.store.sessions.forgive(account, place)
    return Caller(key_id=0, name="", storefront="", workspace_id=0, workspace=workspace, user_id=known[0], user=user)


async def _right(desk: Desk, names: tuple[str, ...], known: tuple[int, str] | None, password: str) -> bool:
    """Counted first, looked at then."""
    wait = await desk.store.sessions.attempt(names, wait_after)
    if wait:
        seconds = max(1, round(wait))
        words = f"too many attempts: wait {seconds} second{'' if seconds == 1 else 's'}"
        raise GatewayError(Kind.RATE_LIMITED, words, retry_after=wait)
    try:
        return await desk.verifier.verify(known[1] if known is not None else None, password)
    except Busy:
        raise GatewayError(Kind.RATE_LIMITED, "too many are signing in: try again", retry_after=2.0) from None


def _front(desk: Desk, name: str | None) -> Storefront:
    catalogue = desk.snapshot().catalogue
    found = catalogue.root if name is None else catalogue.storefronts.get(name)
    if found is None:
        raise invalid(f"there is no storefront {name!r}; there are {', '.join(catalogue.storefronts)}", "storefront")
    return found


@ROUTES("PUT", "/session/storefront", Rule.SIGNED_IN, Session)
async def switch_storefront(body: NewStorefront, desk: TheDesk, actor: TheActor) -> Response:
    """Use the models of another storefront, in the same session. What is asked from now on is asked there."""
    caller = actor.caller
    if caller.session is None:
        raise invalid("there is no session to switch: this request brought a key")
    if caller.admin:
        raise invalid("who signed in with a key stays in its storefront; below a mount the key opens every other")
    front = _front(desk, body.storefront)
    await desk.store.sessions.switch(caller.session, caller.user_id, front.id)
    secret = actor.secret or ""
    found = await desk.find(secret)
    if found is None:
        raise GatewayError(Kind.UNAUTHENTICATED, _WRONG)
    await desk.store.audit.add(
        Act(actor=actor.name, act="session.storefront", target=front.id, workspace=caller.workspace)
    )
    return answer(_shown(actor_of(found, secret), desk))


@ROUTES("GET", "/session", Rule.OPEN, Session)
async def get_session(desk: TheDesk, actor: MaybeActor) -> Response:
    """Who is signed in; nobody is no error."""
    return answer(_shown(actor, desk) if actor is not None else {"signed_in": False})


@ROUTES("DELETE", "/session", Rule.SIGNED_IN, None, status=204)
async def sign_out(request: Request, desk: TheDesk, actor: TheActor) -> Response:
    """End this session. Its cookie opens nothing from now on."""
    if actor.caller.session is None:
        raise invalid("there is no session to end: this request brought a key")
    await desk.store.sessions.close(actor.caller.session)
    await desk.store.audit.add(Act(actor=actor.name, act="session.close", workspace=actor.caller.workspace))
    found = nothing()
    found.headers["set-cookie"] = _cookie(request, "", 0)
    return found


@ROUTES("PUT", "/session/password", Rule.SIGNED_IN, None, status=204, errors=(429,))
async def change_password(body: NewPassword, desk: TheDesk, actor: TheActor) -> Response:
    """Change one's own password. All other sessions of the user end."""
    caller = actor.caller
    if caller.session is None or caller.admin:
        raise invalid("who signed in with a key has no password here")
    name = f"user:{caller.workspace}/{caller.user}"
    known = await desk.store.sessions.password(caller.workspace, caller.user)
    if not await _right(desk, (name,), known, body.old):
        raise GatewayError(Kind.FORBIDDEN, "the old password is not right", param="old")
    check_password(body.new)
    hashed = await asyncio.to_thread(hash_password, body.new)
    await desk.store.sessions.set_password(caller.workspace, caller.user, hashed, caller.session)
    await desk.store.audit.add(Act(actor=actor.name, act="session.password", workspace=caller.workspace))
    return nothing()


@ROUTES("GET", "/sessions", Rule.SIGNED_IN, Sessions, csv=True)
async def list_sessions(desk: TheDesk, actor: TheActor, asked: ThePage, all: bool = False) -> Response:
    """Sessions that last: one's own; with `all` the workspace's, for its admins."""
    if all and actor.rank < Rule.ADMIN:
        raise GatewayError(Kind.FORBIDDEN, "this takes an admin of the workspace")
    rows = await _sessions(desk, actor, all=all)
    current = f"{SESSION_ID}{actor.caller.session}"
    return listed([{**_fields(row), "current": row.id == current} for row in rows], asked, "sessions")


@ROUTES("DELETE", "/sessions/{session}", Rule.SIGNED_IN, None, status=204)
async def end_session(
    session: Annotated[str, Path(max_length=40, examples=["session_1"])], desk: TheDesk, actor: TheActor
) -> Response:
    """End a session: one's own, for an admin a member's, for an owner anybody's of the workspace."""
    rows = await _sessions(desk, actor, all=actor.rank >= Rule.ADMIN)
    row = next((one for one in rows if one.id == session), None)
    if row is None:
        raise NoSuch([f"there is no session {session!r}"])
    if (row.workspace, row.user) != (actor.caller.workspace, actor.caller.user):
        await below(desk, actor, {"workspace": row.workspace, "name": row.user})
    await desk.store.sessions.close(session_number(session))
    await desk.store.audit.add(Act(actor=actor.name, act="session.end", target=session, workspace=row.workspace))
    return nothing()


async def _sessions(desk: Desk, actor: Actor, *, all: bool) -> list[SessionRow]:
    """One's own, or the workspace's; those that an admin's key opened are the house's to see."""
    rows = await (
        desk.store.sessions.rows(workspace=actor.workspace(None))
        if all
        else desk.store.sessions.rows(user=actor.caller.user_id)
    )
    return [row for row in rows if actor.house or not row.by_key]


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _shown(actor: Actor, desk: Desk) -> dict[str, Any]:
    caller = actor.caller
    return {
        "signed_in": True,
        "workspace": caller.workspace,
        "user": caller.user,
        "role": "owner" if caller.admin else caller.role,
        "house": actor.house,
        "by_key": caller.admin,
        "key": f"key_{caller.key_id}",
        "storefront": caller.storefront,
        "expires_at": caller.expires_at,
        "conversations": desk.conversations(),
        "csrf": csrf_of(actor.secret) if actor.secret is not None else None,
    }


def _cookie(request: Request, secret: str, seconds: int) -> str:
    """Secure where the browser came by TLS: what the connection or a trusted proxy says, or the page's own origin."""
    origin = request.headers.get("origin", "")
    secure = request.url.scheme == "https" or origin.startswith("https://")
    return set_cookie(secret, seconds, secure=secure).decode()
