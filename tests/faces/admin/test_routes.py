"""Twin of faces/admin/routes.py: every route has a rule, the rule holds for every role, and none crosses a fence.

Law: made from the routes themselves. A route whose path names something that is not known here fails: say what of
another workspace stands there.
"""

from pathlib import Path
from typing import Any

import pytest

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.app import TABLES
from conflux.faces.admin.routes import Routes, Spec, summary_of
from tests.faces.admin.gate import API, Browser, Gate, gate
from tests.faces.admin.test_session import HELLO

SPECS = [spec for table in TABLES for spec in table.specs]
CANARY = "canary"
# Bodies that would do something, where the route takes one.
BODIES: dict[str, Any] = {
    "create_user": {"name": "x"},
    "change_user": {"enabled": False},
    "create_key": {"workspace": "rival", "user": CANARY},
    "set_budget": {"usd": "1"},
    "change_policy": {"terms": {"deny": ["*"]}},
    "rename_conversation": {"name": "x"},
    "add_message": {"body": {"content": "x"}},
}
# What everybody may see.
COMMON = {"get_about", "get_catalogue", "get_catalogue_model"}


def names_in(path: str) -> list[str]:
    return [part.strip("{}").partition(":")[0] for part in path.split("/") if part.startswith("{")]


def filled(path: str, names: dict[str, str]) -> str:
    parts = [names[part.strip("{}").partition(":")[0]] if part.startswith("{") else part for part in path.split("/")]
    return API + "/".join(parts)


async def quick(tell: Any) -> dict[str, Any]:
    return {"word": CANARY}


async def foreign(g: Gate) -> list[dict[str, str]]:
    """What of another workspace may stand in a path: once for each kind of owner."""
    canary = await g.person("rival", CANARY, "member")
    session = (await canary.get("/sessions"))["data"][0]["id"]
    receipt = (await canary.ask("POST", "/v1/chat/completions", HELLO)).headers["x-request-id"]
    made = (await canary.ask("POST", "/conversations", {"name": CANARY})).json()
    key = (await g.do("keys.create", workspace="rival", user=CANARY, name=CANARY))["id"]
    for owner in ({"workspace": "rival"}, {"workspace": "rival", "user": CANARY}, {"key": key}):
        await g.do("policies.create", **owner, terms={"deny": [f"{CANARY}/*"]})
        await g.do("budgets.set", **owner, usd="7")
        await g.do("plans.subscribe", **owner, plan="agents")
    grant = (await g.do("credits.grant", workspace="rival", credits="7", note=CANARY))["id"]
    job = g.running.jobs.begin("probe", f"rival/{CANARY}", quick, CANARY)
    names = {"workspace": "rival", "name": CANARY, "key": key, "session": session, "receipt": receipt,
             "conversation": made["id"], "storefront": "conflux", "model": "conflux/deepseek-v4-pro",
             "pool": "deepseek-v4-pro", "provider": "openai", "credential": "cred_1", "grant": grant,
             "job": job.id}  # fmt: skip
    owners = {"workspace": "rival", "user": f"rival/{CANARY}", "key": key}
    return [{**names, "kind": kind, "owner": owner} for kind, owner in owners.items()]


async def roles(g: Gate) -> dict[Rule, Browser]:
    return {
        Rule.SIGNED_IN: await g.person("acme", "mia", "member"),
        Rule.ADMIN: await g.person("acme", "adam", "admin"),
        Rule.OWNER: await g.person("acme", "olga", "owner"),
    }


async def state(g: Gate) -> Any:
    """What of the other workspace a request could have changed."""
    asked = (
        "users.list",
        "keys.list",
        "policies.list",
        "budgets.list",
        "workspaces.list",
        "credits.list",
        "plans.list",
    )
    found = {name: await g.do(name) for name in asked}
    return {name: [row for row in next(iter(rows.values())) if "acme" not in str(row)] for name, rows in found.items()}


async def test_no_route_shows_or_changes_anything_of_another_workspace(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        placed = await foreign(g)
        people = await roles(g)
        before = await state(g)
        for spec in SPECS:
            name = spec.endpoint.__name__
            if name in COMMON or name == "sign_out":
                continue
            body = BODIES.get(name, {} if spec.method in ("POST", "PUT", "PATCH") else None)
            for names in placed:
                for rank, browser in people.items():
                    answer = await browser.ask(spec.method, filled(spec.path, names), body)
                    where = (spec.method, spec.path, names["kind"], rank.name, answer.status, answer.text[:300])
                    if answer.status >= 400:
                        assert answer.status in (400, 403, 404), where
                    else:
                        assert not set(names_in(spec.path)) - {"storefront", "model"}, where
                        assert CANARY not in answer.text and "rival" not in answer.text, where
        assert await state(g) == before


async def test_every_route_refuses_whoever_is_less_than_its_rule(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        nobody, people = g.browser(), await roles(g)
        for spec in SPECS:
            path = filled(spec.path, dict.fromkeys(names_in(spec.path), "none"))
            answer = await nobody.ask(spec.method, path)
            assert (answer.status == 401) is (spec.rule is not Rule.OPEN), spec.path
            for rank, browser in people.items():
                if rank < spec.rule:
                    answer = await browser.ask(spec.method, path, {} if spec.method != "GET" else None)
                    assert answer.status == 403, (spec.method, spec.path, rank.name, answer.status)


async def test_whatever_changes_something_takes_the_sessions_word(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        house = g.browser()
        await house.sign_in(key=g.key)
        for spec in SPECS:
            if spec.method != "GET" and spec.rule is not Rule.OPEN:
                path = filled(spec.path, dict.fromkeys(names_in(spec.path), "none"))
                answer = await house.ask(spec.method, path, csrf=False)
                assert answer.status == 403 and answer.json()["error"]["code"] == "csrf", spec.path


def test_a_route_is_said_whole() -> None:
    for spec in SPECS:
        assert summary_of(spec.endpoint), spec.endpoint
        assert isinstance(spec.rule, Rule) and spec.tag
    assert len({(spec.method, spec.path) for spec in SPECS}) == len(SPECS)
    with pytest.raises(TypeError):
        Routes("x")("GET", "/x")  # type: ignore[call-arg]


def test_what_a_new_route_has_to_say() -> None:
    async def anything() -> Any:
        """Something."""

    table = Routes("x")
    table("GET", "/planets/{planet}", Rule.OPEN, None)(anything)
    (spec,) = table.specs
    assert isinstance(spec, Spec) and names_in(spec.path) == ["planet"]
    with pytest.raises(KeyError):
        filled(spec.path, {"workspace": "rival"})
