"""Twin of faces/admin/actor.py. Every route against every role is in test_routes.py."""

import pytest

from conflux.faces.admin.actor import Rule, actor_of, admit
from conflux.faces.cookies import csrf_of
from conflux.neutral.errors import GatewayError, Kind, NoSuch
from conflux.neutral.records import Caller
from tests.policy.samples import NOW, caller

SECRET = "cfs_" + "a" * 49
COOKIE = (b"cookie", f"conflux_session={SECRET}".encode())


def who(**rest: object) -> Caller:
    return caller(**{"session": 7, "workspace": "acme", "user": "ann", **rest})


@pytest.mark.parametrize(("known", "rank"), [
    (who(), Rule.SIGNED_IN), (who(role="admin"), Rule.ADMIN), (who(role="owner"), Rule.OWNER),
    (who(role="owner", workspace="default"), Rule.HOUSE), (who(role="admin", workspace="default"), Rule.ADMIN),
    (who(role="owner", workspace="default", session=None), Rule.OWNER), (who(admin=True), Rule.HOUSE),
])  # fmt: skip
def test_who_is_what(known: Caller, rank: Rule) -> None:
    assert actor_of(known).rank is rank


async def ask(rule: Rule, *headers: tuple[bytes, bytes], known: Caller | None = None, method: str = "GET") -> object:
    async def find(secret: str) -> Caller | None:
        return known if secret in (SECRET, "key") else None

    return await admit(list(headers), method, rule, find, NOW)


@pytest.mark.parametrize(("headers", "known", "method", "kind"), [
    ((), None, "GET", Kind.UNAUTHENTICATED),
    ((COOKIE,), None, "GET", Kind.UNAUTHENTICATED),
    ((COOKIE,), who(), "POST", Kind.FORBIDDEN),
    ((COOKIE, (b"x-conflux-csrf", b"x")), who(), "DELETE", Kind.FORBIDDEN),
    ((COOKIE,), who(revoked=True), "GET", Kind.UNAUTHENTICATED),
    ((COOKIE,), who(closed="user"), "GET", Kind.FORBIDDEN),
    ((COOKIE,), who(session=None, admin=True), "GET", Kind.UNAUTHENTICATED),
    (((b"authorization", b"Bearer key"),), who(session=None), "GET", Kind.FORBIDDEN),
    (((b"authorization", f"Bearer {SECRET}".encode()),), who(), "GET", Kind.UNAUTHENTICATED),
    (((b"authorization", b"Bearer bad"), COOKIE), who(), "GET", Kind.UNAUTHENTICATED),
])  # fmt: skip
async def test_who_is_not_let_in(headers, known, method, kind) -> None:
    with pytest.raises(GatewayError) as caught:
        await ask(Rule.SIGNED_IN, *headers, known=known, method=method)
    assert caught.value.kind is kind
    assert await ask(Rule.OPEN, *headers, known=known, method=method) is None


async def test_who_is() -> None:
    word = (b"x-conflux-csrf", csrf_of(SECRET).encode())
    found = await ask(Rule.SIGNED_IN, COOKIE, word, known=who(), method="POST")
    assert found is not None
    assert await ask(Rule.HOUSE, (b"x-api-key", b"key"), known=who(session=None, admin=True), method="POST")
    with pytest.raises(GatewayError):
        await ask(Rule.ADMIN, COOKIE, known=who())


def test_another_workspace_is_not_there() -> None:
    ann, house = actor_of(who(role="owner")), actor_of(who(admin=True))
    assert ann.workspace(None) == ann.workspace("acme") == ann.home(None) == "acme"
    assert house.workspace(None) is None and house.workspace("x") == "x" and house.home(None) == "default"
    with pytest.raises(NoSuch):
        ann.workspace("other")
    assert ann.name == "acme/ann" and house.name.endswith(f"with key_{house.caller.key_id}")
