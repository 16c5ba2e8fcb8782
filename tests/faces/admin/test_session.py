"""Signing in and out: with a key, with a password, and all the ways that must not work."""

from pathlib import Path
from typing import Any

import pytest

from conflux.accounts.passwords import wait_after
from tests.faces.admin.gate import PASSWORD, Gate, gate, patient

HELLO = {"model": "conflux/deepseek-v4-pro", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}


@pytest.fixture
async def g(tmp_path: Path) -> Any:
    async with gate(tmp_path) as found:
        yield found


async def test_with_the_printed_key(g: Gate) -> None:
    browser = g.browser()
    assert await browser.get("/session") == {"signed_in": False, **{}}
    answer = await browser.sign_in(key=g.key)
    assert answer.status == 201
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie and "Path=/" in cookie
    found = await browser.get("/session")
    assert (found["signed_in"], found["house"], found["by_key"], found["role"]) == (True, True, True, "owner")
    assert found["csrf"] == browser.csrf and g.key not in answer.text
    assert (await browser.ask("DELETE", "/session")).status == 204
    assert (await browser.get("/session"))["signed_in"] is False


async def test_behind_tls_the_cookie_goes_nowhere_else(g: Gate) -> None:
    answer = await g.browser(origin="https://gate.test").sign_in(key=g.key)
    assert "; Secure" in answer.headers["set-cookie"]


async def test_a_users_session_runs_what_the_user_may(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    found = await ann.get("/session")
    assert (found["workspace"], found["user"], found["role"], found["house"]) == ("acme", "ann", "member", False)
    answer = await ann.ask("POST", "/v1/chat/completions", HELLO)
    assert answer.status == 200
    receipt = (await ann.ask("GET", f"/v1/receipts/{answer.headers['x-request-id']}")).json()
    assert receipt["requested_model"] == HELLO["model"] and "target" not in receipt["calls"][0]
    assert (await ann.ask("GET", "/v1/key")).json()["workspace"] == "acme"
    used = (await ann.ask("GET", "/v1/usage?group_by=user")).json()
    assert [row["user"] for row in used["data"]] == ["acme/ann"]
    await g.do("policies.create", workspace="acme", user="ann", terms={"deny": ["conflux/*"]})
    assert (await ann.ask("POST", "/v1/chat/completions", HELLO)).status == 404
    listed = (await ann.ask("GET", "/v1/models")).json()["data"]
    assert listed and not any(one["id"].startswith("conflux/") for one in listed)


async def test_a_cookie_alone_runs_nothing_and_changes_nothing(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    assert (await ann.ask("POST", "/v1/chat/completions", HELLO, csrf=False)).status == 401
    ann.csrf = "0" * 48
    assert (await ann.ask("POST", "/v1/chat/completions", HELLO)).status == 401
    refused = await ann.ask("DELETE", "/session")
    assert refused.status == 403 and refused.json()["error"]["code"] == "csrf"
    assert (await ann.get("/session"))["signed_in"] is True


async def test_another_sessions_word_is_none(g: Gate) -> None:
    ann, bob = await g.person("acme", "ann", "member"), await g.person("acme", "bob", "member")
    ann.csrf = bob.csrf
    assert (await ann.ask("DELETE", "/session")).status == 403


async def test_a_cookie_that_was_planted_is_not_taken_over(g: Gate) -> None:
    mallory = await g.person("evil", "mallory", "member")
    planted = mallory.cookie
    browser = g.browser(cookie=f"conflux_session={planted}")
    answer = await browser.sign_in(key=g.key)
    assert answer.status == 201 and planted not in answer.headers["set-cookie"]
    assert (await mallory.get("/session"))["user"] == "mallory"


@pytest.mark.parametrize("body", [
    {}, {"user": "ann"}, {"password": PASSWORD}, {"key": "x", "user": "ann", "password": PASSWORD},
    {"key": 5}, {"key": None}, {"user": "ann", "password": PASSWORD, "role": "owner"}, {"key": "x" * 201}, [], "x",
])  # fmt: skip
async def test_what_makes_no_sense_is_said(g: Gate, body: Any) -> None:
    answer = await g.browser().ask("POST", "/session", body)
    assert answer.status == 400 and answer.json()["error"]["message"]


async def test_what_is_not_right_tells_nothing_of_why(g: Gate) -> None:
    await g.person("acme", "ann", "member")
    said = set()
    for how in ({"workspace": "acme", "user": "ann", "password": "x" * 12}, {"workspace": "acme", "user": "nobody",
                "password": PASSWORD}, {"workspace": "none", "user": "ann", "password": PASSWORD},
                {"key": "cf_live_nonsense"}, {"key": g.browsers[0].cookie}):  # fmt: skip
        answer = await g.browser().sign_in(**how)
        assert answer.status == 401
        said.add(answer.json()["error"]["message"])
    assert len(said) == 1


async def test_a_plain_key_opens_no_session_and_no_api(g: Gate) -> None:
    key = (await g.do("keys.create", name="plain"))["key"]
    assert (await g.browser().sign_in(key=key)).status == 403
    answer = await g.browser(authorization=f"Bearer {key}").ask("GET", "/sessions")
    assert answer.status == 403


async def test_guessing_is_stopped_and_the_right_password_does_not_help(
    g: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflux.faces.admin.session.wait_after", patient)
    await g.person("acme", "ann", "member")
    how = {"workspace": "acme", "user": "ann"}
    guesses = [(await g.browser().sign_in(**how, password=f"wrong password {n}")).status for n in range(5)]
    assert guesses == [401] * 5
    shut = await g.browser().sign_in(**how, password=PASSWORD)
    assert shut.status == 429 and int(shut.headers["retry-after"]) >= 1
    assert (await g.browser().sign_in(key=g.key)).status == 201
    await g.do("users.password", workspace="acme", name="ann", password=PASSWORD)
    assert (await g.browser().sign_in(**how, password=PASSWORD)).status == 201


def test_the_wait_doubles_to_a_quarter_of_an_hour() -> None:
    assert [wait_after("user:a/b", count) for count in (1, 4, 5, 6, 8, 100)] == [0, 0, 1, 2, 8, 900]
    assert [wait_after("from:::1", count) for count in (49, 50, 51, 100)] == [0, 1, 2, 60]


async def test_sessions_end_with_whatever_they_stand_on(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    await g.do("users.password", workspace="acme", name="ann", password=PASSWORD)
    assert (await ann.get("/session"))["signed_in"] is False
    assert (await ann.sign_in(workspace="acme", user="ann", password=PASSWORD)).status == 201
    await g.do("users.disable", workspace="acme", name="ann")
    assert (await ann.ask("GET", "/sessions")).status == 403
    assert (await g.browser().sign_in(workspace="acme", user="ann", password=PASSWORD)).status == 401
    await g.do("users.enable", workspace="acme", name="ann")
    key = (await ann.get("/session"))["key"]
    await g.do("keys.revoke", id=key)
    assert (await ann.ask("GET", "/sessions")).status == 401
    assert (await ann.sign_in(workspace="acme", user="ann", password=PASSWORD)).status == 201
    assert (await ann.get("/session"))["key"] != key


async def test_an_admins_session_ends_with_its_key(g: Gate) -> None:
    made = await g.do("keys.create", name="second", admin=True)
    browser = g.browser()
    await browser.sign_in(key=made["key"])
    await g.do("keys.revoke", id=made["id"])
    assert (await browser.ask("GET", "/sessions")).status == 401


async def test_ones_own_password(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    other = g.browser()
    await other.sign_in(workspace="acme", user="ann", password=PASSWORD)
    change = {"old": PASSWORD, "new": "another long one"}
    assert (await ann.ask("PUT", "/session/password", {**change, "old": "wrong password"})).status == 403
    assert (await ann.ask("PUT", "/session/password", {**change, "new": "short"})).status == 400
    assert (await ann.ask("PUT", "/session/password", change)).status == 204
    assert (await ann.get("/session"))["signed_in"] and not (await other.get("/session"))["signed_in"]
    assert (await other.sign_in(workspace="acme", user="ann", password="another long one")).status == 201


async def test_sessions_are_listed_and_ended_within_the_workspace(g: Gate) -> None:
    ann, boss = await g.person("acme", "ann", "member"), await g.person("acme", "boss", "admin")
    other = await g.person("other", "eve", "owner")
    assert [row["user"] for row in (await ann.get("/sessions"))["data"]] == ["ann"]
    assert {row["user"] for row in (await boss.get("/sessions", all=True))["data"]} == {"ann", "boss"}
    assert (await ann.ask("GET", "/sessions?all=true")).status == 403
    (mine,) = (await ann.get("/sessions"))["data"]
    assert mine["current"] is True
    assert (await other.ask("DELETE", f"/sessions/{mine['id']}")).status == 404
    assert (await boss.ask("DELETE", f"/sessions/{mine['id']}")).status == 204
    assert (await ann.get("/session"))["signed_in"] is False
    assert (await boss.ask("DELETE", "/sessions/session_x")).status == 404


async def test_a_users_session_uses_any_storefront(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    root = (await ann.get("/session"))["key"]
    answer = await ann.ask("PUT", "/session/storefront", {"storefront": "tokenflux"})
    assert answer.status == 200 and answer.json()["storefront"] == "tokenflux", answer.text
    assert answer.json()["csrf"] == ann.csrf and answer.json()["key"] != root
    asked = {**HELLO, "model": "gpt-4.1"}
    for path in ("/v1/chat/completions", "/tokenflux/v1/chat/completions"):
        told = await ann.http.post(path, json=asked, headers={"x-conflux-csrf": str(ann.csrf)})
        assert told.status == 200, await told.text()
    rows = (await ann.get("/receipts"))["data"]
    assert [row["storefront"] for row in rows] == ["tokenflux", "tokenflux"]
    await g.do("policies.create", workspace="acme", user="ann", terms={"deny": ["*"]})
    assert (await ann.ask("POST", "/v1/chat/completions", asked)).status == 404, "the user's policy holds everywhere"
    assert (await ann.ask("PUT", "/session/storefront", {"storefront": "conflux"})).json()["key"] == root
    assert (await ann.ask("PUT", "/session/storefront", {"storefront": "none"})).status == 400
    assert "session.storefront" in (await g.house.ask("GET", "/audit?workspace=acme")).text


async def test_a_storefront_is_chosen_where_one_signs_in(g: Gate) -> None:
    await g.person("acme", "ann", "member")
    browser = g.browser()
    answer = await browser.sign_in(workspace="acme", user="ann", password=PASSWORD, storefront="llmbase")
    assert answer.status == 201 and answer.json()["storefront"] == "llmbase"
    bad = await g.browser().sign_in(workspace="acme", user="ann", password=PASSWORD, storefront="none")
    assert bad.status == 400


async def test_who_signed_in_with_a_key_stays_where_the_key_is(g: Gate) -> None:
    house = g.browser()
    await house.sign_in(key=g.key)
    assert (await house.ask("PUT", "/session/storefront", {"storefront": "llmbase"})).status == 400
    assert (await g.house.ask("PUT", "/session/storefront", {"storefront": "llmbase"})).status == 400
    headers = {"x-conflux-csrf": str(house.csrf)}
    found = await house.http.get("/llmbase/v1/models", headers=headers)
    assert found.status == 200 and (await found.json())["data"]


async def test_nobody_ends_the_sessions_of_those_above_them(g: Gate) -> None:
    owner, boss = await g.person("acme", "olga", "owner"), await g.person("acme", "boss", "admin")
    ann = await g.person("acme", "ann", "member")
    rows = {row["user"]: row["id"] for row in (await boss.get("/sessions", all=True))["data"]}
    answer = await boss.ask("DELETE", f"/sessions/{rows['olga']}")
    assert answer.status == 403 and "owner" in answer.text
    assert (await owner.get("/session"))["signed_in"]
    assert (await boss.ask("DELETE", f"/sessions/{rows['ann']}")).status == 204
    assert (await ann.get("/session"))["signed_in"] is False
    assert (await owner.ask("DELETE", f"/sessions/{rows['boss']}")).status == 204
    other = await g.person("acme", "bill", "admin")  # one's own, always
    mine = next(row["id"] for row in (await other.get("/sessions"))["data"])
    assert (await other.ask("DELETE", f"/sessions/{mine}")).status == 204


async def test_sessions_by_an_admins_key_are_the_houses(g: Gate) -> None:
    house, dora = g.browser(), await g.person("default", "dora", "admin")
    await house.sign_in(key=g.key)
    theirs = next(row["id"] for row in (await house.get("/sessions"))["data"] if row["by_key"])
    assert not any(row["by_key"] for row in (await dora.get("/sessions", all=True))["data"])
    assert (await dora.ask("DELETE", f"/sessions/{theirs}")).status == 404
    assert any(row["id"] == theirs for row in (await g.house.get("/sessions", all=True))["data"])
