"""Twin of faces/admin/routes.py: every route has a rule, and the rule holds for every role."""

from pathlib import Path

import pytest

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.app import TABLES
from conflux.faces.admin.routes import Routes, Spec, summary_of
from tests.faces.admin.gate import API, gate

SPECS = [spec for table in TABLES for spec in table.specs]
# What stands in a path for the rule's sake alone: the rule is looked at before it is.
SAMPLE = "none"


def path_of(spec: Spec) -> str:
    parts = [SAMPLE if part.startswith("{") else part for part in spec.path.split("/")]
    return API + "/".join(parts)


async def test_every_route_refuses_whoever_is_less_than_its_rule(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        nobody = g.browser()
        people = {
            Rule.SIGNED_IN: await g.person("acme", "mia", "member"),
            Rule.ADMIN: await g.person("acme", "adam", "admin"),
            Rule.OWNER: await g.person("acme", "olga", "owner"),
        }
        for spec in SPECS:
            answer = await nobody.ask(spec.method, path_of(spec))
            assert (answer.status == 401) is (spec.rule is not Rule.OPEN), spec.path
            for rank, browser in people.items():
                if rank < spec.rule:
                    answer = await browser.ask(spec.method, path_of(spec), {} if spec.method != "GET" else None)
                    assert answer.status == 403, (spec.method, spec.path, rank.name, answer.status)


async def test_whatever_changes_something_takes_the_sessions_word(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        house = g.browser()
        await house.sign_in(key=g.key)
        for spec in SPECS:
            if spec.method != "GET" and spec.rule is not Rule.OPEN:
                answer = await house.ask(spec.method, path_of(spec), csrf=False)
                assert answer.status == 403 and answer.json()["error"]["code"] == "csrf", spec.path


def test_a_route_is_said_whole() -> None:
    for spec in SPECS:
        assert summary_of(spec.endpoint), spec.endpoint
        assert isinstance(spec.rule, Rule) and spec.tag
    with pytest.raises(TypeError):
        Routes("x")("GET", "/x")  # type: ignore[call-arg]
