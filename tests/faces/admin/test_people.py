"""Twin of faces/admin/people.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.people import Keys, MadeKey, User, Users, Workspaces
from tests.faces.admin.gate import PASSWORD, Gate, gate


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_the_house_makes_and_ends_workspaces(g: Gate) -> None:
    house = g.house
    made = await house.ask("POST", "/workspaces", {"name": "acme"})
    assert made.status == 201 and made.json()["name"] == "acme"
    Workspaces.model_validate(await house.get("/workspaces"))
    changed = await house.ask("PATCH", "/workspaces/acme", {"name": "apex", "enabled": False})
    assert (changed.json()["name"], changed.json()["enabled"]) == ("apex", False)
    assert (await house.ask("PATCH", "/workspaces/acme", {"enabled": True})).status == 404
    assert (await house.ask("DELETE", "/workspaces/apex")).json() == {"done": True}
    for name in ("a/b", "", " a", "default", "x" * 101):
        assert (await house.ask("POST", "/workspaces", {"name": name})).status == 400
    assert (await house.ask("DELETE", "/workspaces/default")).status == 400


async def test_an_admin_makes_members_and_an_owner_makes_admins(g: Gate) -> None:
    boss, owner = await g.person("acme", "boss", "admin"), await g.person("acme", "olga", "owner")
    new = {"name": "ann", "password": PASSWORD}
    made = await boss.ask("POST", "/workspaces/acme/users", new)
    assert made.status == 201 and User.model_validate(made.json()).role == "member"
    assert (await g.browser().sign_in(workspace="acme", user="ann", password=PASSWORD)).status == 201
    assert (await boss.ask("POST", "/workspaces/acme/users", {"name": "x", "role": "owner"})).status == 403
    path = "/workspaces/acme/users"
    assert (await boss.ask("PATCH", f"{path}/ann", {"role": "admin"})).status == 403
    assert (await boss.ask("PATCH", f"{path}/boss", {"role": "owner"})).status == 403
    assert (await boss.ask("PATCH", f"{path}/olga", {"enabled": False})).status == 403
    assert (await boss.ask("PATCH", f"{path}/olga", {"password": PASSWORD})).status == 403
    assert (await boss.ask("DELETE", f"{path}/olga")).status == 403
    assert (await owner.ask("PATCH", f"{path}/ann", {"role": "admin"})).json()["role"] == "admin"
    assert (await owner.ask("PATCH", f"{path}/boss", {"enabled": False})).json()["enabled"] is False
    assert (await boss.ask("GET", "/users")).status == 403
    Users.model_validate(await owner.get("/users"))
    await owner.ask("POST", path, {"name": "gone"})
    assert (await owner.ask("DELETE", f"{path}/gone")).status == 200


async def test_nobody_locks_themselves_out(g: Gate) -> None:
    """The only owner of the gateway would be the last to be able to undo it."""
    olga = await g.person("default", "olga", "owner")
    for body in ({"enabled": False}, {"role": "member"}, {"role": "admin"}):
        answer = await olga.ask("PATCH", "/workspaces/default/users/olga", body)
        assert answer.status == 403 and "yourself" in answer.text, answer.text
    assert (await olga.ask("PATCH", "/workspaces/default/users/olga", {"role": "owner"})).status == 200
    for path in ("/workspaces/default", "/workspaces/default/users/default"):
        answer = await olga.ask("PATCH", path, {"enabled": False})
        assert answer.status == 400 and "stays" in answer.text
    assert (await g.house.ask("PATCH", "/workspaces/default/users/olga", {"enabled": False})).status == 200
    assert (await olga.ask("GET", "/users")).status in (401, 403)


async def test_the_houses_keys_are_shown_to_the_house_alone(g: Gate) -> None:
    dora = await g.person("default", "dora", "admin")
    assert not any(row["admin"] for row in (await dora.get("/keys"))["data"])
    assert any(row["admin"] for row in (await g.house.get("/keys"))["data"])


async def test_keys_within_the_workspace(g: Gate) -> None:
    boss, ann = await g.person("acme", "boss", "admin"), await g.person("acme", "ann", "member")
    made = await boss.ask("POST", "/keys", {"name": "laptop", "user": "ann", "budget_usd": "5", "expires": "30d"})
    assert made.status == 201
    key = MadeKey.model_validate(made.json())
    rows = Keys.model_validate(await ann.get("/keys")).data
    assert {row.user for row in rows} == {"ann"} and {row.name for row in rows} == {"web", "laptop"}
    assert key.key not in str(rows)
    assert {row["user"] for row in (await boss.get("/keys"))["data"]} == {"ann", "boss"}
    assert [row["id"] for row in (await boss.get("/keys", q="LAP"))["data"]] == [key.id]
    assert (await ann.get("/keys", user="boss"))["data"] == []
    for body in ({"admin": True}, {"agent": True, "storefront": "llmbase"}):
        assert (await boss.ask("POST", "/keys", {"user": "ann", **body})).status == 403
    assert (await boss.ask("POST", "/keys", {"user": "nobody"})).status == 404
    assert (await boss.ask("POST", "/keys", {"user": "ann", "models": ["none"]})).status == 400
    assert (await ann.ask("POST", "/keys", {"user": "ann"})).status == 403
    assert (await ann.ask("DELETE", f"/keys/{key.id}")).status == 200
    assert (await g.browser(authorization=f"Bearer {key.key}").ask("GET", "/v1/key")).status == 401


async def test_nobody_reaches_over_the_fence(g: Gate) -> None:
    """Every object of another workspace, by its name, its id, and in every list."""
    boss = await g.person("acme", "boss", "owner")
    await g.person("rival", "canary", "member")
    theirs = await g.do("keys.create", name="canary", workspace="rival", user="canary")
    admins = next(row["id"] for row in (await g.do("keys.list"))["keys"] if row["admin"])
    for method, path, body in (
        ("GET", "/users?workspace=rival", None), ("GET", "/keys?workspace=rival", None),
        ("POST", "/workspaces/rival/users", {"name": "x"}),
        ("PATCH", "/workspaces/rival/users/canary", {"role": "owner"}),
        ("DELETE", "/workspaces/rival/users/canary", None), ("DELETE", f"/keys/{theirs['id']}", None),
        ("DELETE", f"/keys/{admins}", None), ("POST", "/keys", {"workspace": "rival", "user": "canary"}),
        ("POST", "/keys", {"workspace": "default", "user": "default"}),
    ):  # fmt: skip
        answer = await boss.ask(method, path, body)
        assert answer.status == 404, (method, path, answer.text)
    for path in (
        "/workspaces",
        "/users",
        "/keys",
        "/sessions?all=true",
        "/budgets",
        "/policies",
        "/audit",
        "/receipts",
    ):
        for more in ("", "&format=csv" if "?" in path else "?format=csv"):
            assert "canary" not in (await boss.ask("GET", path + more)).text, path


async def test_fields_that_are_not_to_be_written_are_refused(g: Gate) -> None:
    boss = await g.person("acme", "boss", "owner")
    for method, path, body in (
        ("POST", "/keys", {"user": "boss", "id": "key_99"}), ("POST", "/keys", {"user": "boss", "spent_usd": "0"}),
        ("POST", "/workspaces/acme/users", {"name": "x", "workspace": "rival"}),
        ("PATCH", "/workspaces/acme/users/boss", {"house": True}),
        ("PATCH", "/workspaces/acme/users/boss", {"workspace": "default"}),
    ):  # fmt: skip
        assert (await boss.ask(method, path, body)).status == 400, body


async def test_lists_come_in_pages_and_as_files(g: Gate) -> None:
    house = g.house
    for n in range(5):
        await g.do("workspaces.create", name=f"w{n}")
    first = await house.get("/workspaces", limit=4)
    rest = await house.get("/workspaces", limit=4, cursor=first["next"])
    names = [row["name"] for row in first["data"] + rest["data"]]
    assert names == ["default", "w0", "w1", "w2", "w3", "w4"] and rest["next"] is None
    file = await house.ask("GET", "/workspaces?format=csv&limit=2")
    assert len(file.text.splitlines()) == 7 and file.headers["content-type"].startswith("text/csv")
    for bad in ("limit=0", "limit=501", "limit=x", "cursor=%FF", "format=xml"):
        assert (await house.ask("GET", f"/workspaces?{bad}")).status == 400


async def test_a_change_that_is_refused_changes_nothing(g: Gate) -> None:
    house, users = g.house, "/workspaces/acme/users"
    for name in ("acme", "apex"):
        await g.do("workspaces.create", name=name)
    assert (await house.ask("POST", users, {"name": "ann", "password": "short"})).status == 400
    assert (await house.get("/users", workspace="acme"))["data"] == []
    await house.ask("POST", users, {"name": "ann"})
    change = {"role": "admin", "enabled": False, "password": "short"}
    assert (await house.ask("PATCH", f"{users}/ann", change)).status == 400
    (ann,) = (await house.get("/users", workspace="acme"))["data"]
    assert (ann["role"], ann["enabled"]) == ("member", True)
    default = "/workspaces/default/users/default"
    assert (await house.ask("PATCH", default, {"role": "member", "enabled": False})).status == 400
    assert (await house.get("/users", workspace="default"))["data"][0]["role"] == "owner"
    assert (await house.ask("PATCH", "/workspaces/acme", {"name": "apex", "enabled": False})).status == 400
    assert all(row["enabled"] for row in (await house.get("/workspaces"))["data"])


async def test_who_only_signed_in_can_be_deleted(g: Gate) -> None:
    """A session's key is nobody's making; where receipts speak of it, it keeps its user."""
    house = g.house
    ann, bob = await g.person("acme", "ann", "member"), await g.person("apex", "bob", "member")
    assert [row["keys"] for row in (await house.get("/users"))["data"] if row["name"] != "default"] == [0, 0]
    assert (await house.ask("DELETE", "/workspaces/acme/users/ann")).status == 200
    assert (await ann.get("/session"))["signed_in"] is False
    assert (await house.ask("DELETE", "/workspaces/acme")).status == 200
    hello = {"model": "conflux/deepseek-v4-pro", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    assert (await bob.ask("POST", "/v1/chat/completions", hello)).status == 200
    for path in ("/workspaces/apex/users/bob", "/workspaces/apex"):
        answer = await house.ask("DELETE", path)
        assert answer.status == 400 and "1 key" in answer.text and "conflux" not in answer.text
