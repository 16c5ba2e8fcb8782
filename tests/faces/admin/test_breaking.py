"""Bytes that no browser sends: odd paths, hosts and methods open nothing, and break nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faces.admin.gate import PASSWORD, Gate, gate, patient

ROUTE = "/admin/api/v1/users"
PATHS = (
    ROUTE, ROUTE + "/", "/" + ROUTE, "/admin//api/v1/users", "/admin/./api/v1/users", "/admin/api/v1/session/../users",
    "/v1/../admin/api/v1/users", "/v1/models/../../admin/api/v1/users", "/%61dmin/api/v1/users",
    "/admin%2fapi/v1/users",
    "/admin/api/v1/users%00", "/admin/api/v1/users;x=1", "/admin/api/v1/users%3fx", "/ADMIN/api/v1/users",
    "/admin\\api\\v1\\users", "/admin/api/v1/users#x", "http://127.0.0.1" + ROUTE, "/tokenflux" + ROUTE,
    "/chat" + ROUTE,
    "/assets/.." + ROUTE, "/console/.." + ROUTE, "/catalogue/.." + ROUTE, "/admin/api/v1/session%2f..%2fusers", "*",
)  # fmt: skip
HOSTS = ("here", "localhost", "127.0.0.1", "admin", "evil.test", "here:80:80", "", "here/admin/api/v1/session")


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def send(g: Gate, head: str) -> tuple[int, bytes]:
    host, _, port = g.running.address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return int(answer.split(b" ", 2)[1]) if answer else 0, answer


async def test_no_spelling_of_a_path_or_host_opens_a_route(g: Gate) -> None:
    await g.person("acme", "canary", "member")
    for path in PATHS:
        for host in HOSTS if path == ROUTE else HOSTS[:1]:
            for method in ("GET", "HEAD", "POST"):
                head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                status, answer = await send(g, head)
                assert b"canary" not in answer, (method, path, host)
                assert status < 500, (method, path, host, answer)
                if "users" in path and method == "GET" and path.startswith("/admin/api/v1/users"):
                    assert status in (401, 404), (path, status)


async def test_two_credentials_are_not_more_than_one(g: Gate) -> None:
    ann = await g.person("acme", "ann", "member")
    plain = (await g.do("keys.create", name="plain"))["key"]
    for lines in (
        f"authorization: Bearer {plain}\r\ncookie: conflux_session={ann.cookie}",
        f"cookie: conflux_session={ann.cookie}\r\ncookie: conflux_session=cfs_x",
        f"cookie: conflux_session=x; conflux_session={ann.cookie}\r\nx-api-key: {plain}",
        f"authorization: Basic {plain}", f"authorization: Bearer {ann.cookie}", "x-conflux-csrf: x",
    ):  # fmt: skip
        head = f"GET /admin/api/v1/pools HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n\r\n"
        status, _ = await send(g, head)
        assert status in (401, 403), lines


async def test_many_guesses_at_once_are_many(g: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is counted before the password is looked at."""
    monkeypatch.setattr("conflux.faces.admin.session.wait_after", patient)
    await g.person("acme", "ann", "member")
    how = {"workspace": "acme", "user": "ann"}
    answers = await asyncio.gather(*(g.browser().sign_in(**how, password=f"guess number {n}") for n in range(20)))
    statuses = [one.status for one in answers]
    assert sorted(statuses) == [401] * 5 + [429] * 15
    assert (await g.browser().sign_in(**how, password=PASSWORD)).status == 429


@pytest.mark.parametrize("spelling", ["Ann", " ann", "ann ", "ann\x00", "a\u200bnn", "ＡＮＮ"])
async def test_another_spelling_of_a_name_is_no_way_around_the_lock(g: Gate, spelling: str) -> None:
    await g.person("acme", "ann", "member")
    answer = await g.browser().sign_in(workspace="acme", user=spelling, password=PASSWORD)
    assert answer.status in (400, 401)


async def test_a_form_of_another_site_changes_nothing(g: Gate) -> None:
    """What a page elsewhere can send without asking first: simple types, the cookie, no header of its own."""
    house = g.browser()
    await house.sign_in(key=g.key)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await house.ask(
            "POST", "/workspaces", csrf=False, data=b'{"name": "forged"}', headers={"content-type": kind}
        )
        assert answer.status == 403
        signed = await g.browser().ask(
            "POST", "/session", data=f'{{"key": "{g.key}"}}'.encode(), headers={"content-type": kind}
        )
        assert signed.status == 400, kind
    names = [one["name"] for one in (await g.do("workspaces.list"))["workspaces"]]
    assert names == ["default"]
    preflight = await g.browser(origin="https://evil.test").ask("OPTIONS", "/workspaces")
    assert preflight.status == 405 and "access-control-allow-origin" not in preflight.headers


HALF = "\\ud800"


async def test_texts_that_nothing_can_hold_are_refused(g: Gate) -> None:
    house = g.house
    await house.ask("POST", "/workspaces", {"name": "acme"})
    made = (await house.ask("POST", "/conversations", {})).json()["id"]
    for method, path, body in (
        ("POST", "/workspaces", '{"name": "a%s"}'), ("POST", "/session", '{"user": "%s", "password": "%s"}'),
        ("PUT", "/policies/workspace/acme", '{"terms": {"deny": ["%s"]}}'), ("POST", "/keys", '{"name": "%s"}'),
        ("PUT", "/policies/workspace/acme", '{"terms": {"%s": 1}}'), ("POST", "/conversations", '{"name": "%s"}'),
        ("POST", f"/conversations/{made}/messages", '{"body": {"x": ["%s"]}}'),
    ):  # fmt: skip
        for odd in (HALF, "\\u0000"):
            answer = await house.ask(
                method, path, data=body.replace("%s", odd).encode(), headers={"content-type": "application/json"}
            )
            kept = "messages" in path and odd != HALF
            assert answer.status == (201 if kept else 400), (path, odd, answer.status, answer.text)
    assert (await house.ask("GET", "/keys?q=%00")).status == 404


async def test_bodies_that_are_none(g: Gate) -> None:
    for body in (b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"name": NaN}', b"\xff", b'{"name": "a", "name": "b"}'):
        answer = await g.house.ask("POST", "/workspaces", data=body, headers={"content-type": "application/json"})
        assert answer.status == 400 or body.endswith(b'"b"}'), (body[:20], answer.status)
