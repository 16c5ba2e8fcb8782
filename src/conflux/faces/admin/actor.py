"""Who asks, and what a route asks of them.

Law: one place reads a credential, one function decides. A route has exactly one rule, and without one the API does not
start. The house is whoever holds an admin's key, and the owners of the default workspace; everybody else is somebody
in one workspace and learns of no other that it exists.
"""

from collections.abc import Awaitable, Callable
from enum import IntEnum

import msgspec

from conflux.faces.cookies import CSRF_HEADER, cookie_of, own_page
from conflux.faces.http_secret import header_secret
from conflux.neutral.errors import GatewayError, Kind, NoSuch
from conflux.neutral.people import DEFAULT
from conflux.neutral.records import Caller
from conflux.policy.key import check_caller

READS = ("GET", "HEAD")
_BAD = "this credential is not valid any more: sign in again"
_CSRF = f"this changes something, so the page that asks has to send {CSRF_HEADER.decode()} with the session's word"


class Rule(IntEnum):
    """What one has to be. Each includes those below it."""

    OPEN = 0  # anybody
    SIGNED_IN = 1  # somebody; sees what is theirs
    ADMIN = 2  # an admin or owner of a workspace, within it; or the house
    OWNER = 3  # an owner of a workspace, within it; or the house
    HOUSE = 4


_RANK = {"member": Rule.SIGNED_IN, "admin": Rule.ADMIN, "owner": Rule.OWNER}


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    caller: Caller
    rank: Rule
    secret: str | None = None  # of the session, where a cookie brought it

    @property
    def house(self) -> bool:
        return self.rank is Rule.HOUSE

    @property
    def name(self) -> str:
        """In the audit log."""
        caller = self.caller
        by_key = f" with key_{caller.key_id}" if caller.admin else ""
        return f"{caller.workspace}/{caller.user}{by_key}"

    def workspace(self, asked: str | None) -> str | None:
        """The workspace that is meant; None: all of them. Another's is as if it were not there."""
        if self.house:
            return asked
        if asked is not None and asked != self.caller.workspace:
            raise NoSuch([f"there is no workspace {asked[:100]!r}"])
        return self.caller.workspace

    def home(self, asked: str | None) -> str:
        """The same, where it has to be one."""
        return self.workspace(asked) or asked or DEFAULT


def actor_of(caller: Caller, secret: str | None = None) -> Actor:
    house = caller.admin or (caller.session is not None and caller.role == "owner" and caller.workspace == DEFAULT)
    return Actor(caller=caller, rank=Rule.HOUSE if house else _RANK[caller.role], secret=secret)


async def admit(
    headers: list[tuple[bytes, bytes]],
    method: str,
    rule: Rule,
    find: Callable[[str], Awaitable[Caller | None]],
    now: float,
) -> Actor | None:
    """Who asks. Raises GatewayError. Where anybody may ask, a session that is none any more is nobody: None."""
    try:
        actor = await _known(dict(headers), method, find, now)
    except GatewayError:
        if rule is Rule.OPEN:
            return None
        raise
    if rule is Rule.OPEN:
        return actor
    if actor is None:
        raise GatewayError(Kind.UNAUTHENTICATED, "sign in, or send an admin's key as Authorization: Bearer KEY")
    if actor.rank < rule:
        raise GatewayError(Kind.FORBIDDEN, f"this takes {_NEEDED[rule]}")
    return actor


async def _known(
    found: dict[bytes, bytes], method: str, find: Callable[[str], Awaitable[Caller | None]], now: float
) -> Actor | None:
    secret = header_secret(found)
    cookie = cookie_of(found) if secret is None else None
    if secret is None and cookie is None:
        return None
    caller = await find(secret or cookie or "")
    if caller is None or (cookie is None) is not (caller.session is None):
        raise GatewayError(Kind.UNAUTHENTICATED, _BAD)
    check_caller(caller, now)
    if cookie is not None and method not in READS and not own_page(found, cookie):
        raise GatewayError(Kind.FORBIDDEN, _CSRF, code="csrf")
    if cookie is None and not caller.admin:
        raise GatewayError(Kind.FORBIDDEN, "the admin API takes admin keys and people who are signed in")
    return actor_of(caller, cookie)


_NEEDED = {
    Rule.ADMIN: "an admin of the workspace",
    Rule.OWNER: "an owner of the workspace",
    Rule.HOUSE: "an admin key, or an owner of the default workspace",
}
