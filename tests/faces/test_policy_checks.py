"""Policies that cannot have been meant."""

from typing import Any

import msgspec
import pytest

from conflux.faces.policy_checks import check
from conflux.neutral.errors import ConfigError
from conflux.neutral.policies import Terms
from tests.relay.shops import shop

CATALOGUE = shop()


def problems(terms: dict[str, Any], kind: str = "workspace") -> list[str]:
    try:
        check("policies set", kind, msgspec.convert(terms, Terms), CATALOGUE)
    except ConfigError as error:
        return error.problems
    return []


def rule(**fields: Any) -> dict[str, Any]:
    return {"overrides": [{"client": "codex", "action": "deny", "models": ["x"]} | fields]}


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"allow": [], "deny": ["uno", "nothing/*"], "entitle": ["*"], "concurrent": 1, "tokens_per_minute": 10**12},
        rule(),
        rule(client="any", action="substitute", models=["claude-haiku-4"], to="uno"),
        rule(action="allow", models=["*"]),
    ],
)
def test_what_can_be_meant(terms: dict[str, Any]) -> None:
    assert problems(terms) == []


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"allow": ["shop/on"]}, "policies set: allow: no storefront has a model 'shop/on'"),
        ({"deny": [""]}, "deny: '' is no name"),
        ({"entitle": ["x" * 201 + "*"]}, "entitle: 'xxx"),
        ({"deny": ["*"] * 501}, "501 names are too many"),
        ({"requests_per_minute": 0}, "requests_per_minute: 0 is no limit"),
        ({"tokens_per_minute": -1}, "tokens_per_minute"),
        ({"concurrent": 10**13}, "concurrent"),
        (rule(client="vim"), "rule 1: 'vim' is no client: use any, claude-code, codex"),
        (rule(action="refuse"), "rule 1: 'refuse' is no action"),
        (rule(models=[]), "rule 1: name the models"),
        (rule(models=[""]), "rule 1: name the models"),
        (rule(action="substitute"), "rule 1: what is served instead"),
        (rule(to="uno"), "rule 1: what is served instead"),
        (rule(action="substitute", to="nobody"), "rule 1: no storefront has a model 'nobody'"),
        ({"overrides": rule()["overrides"] * 501}, "501 rules are too many"),
    ],
)
def test_what_cannot(terms: dict[str, Any], words: str) -> None:
    (problem,) = problems(terms)
    assert words in problem


def test_rules_for_agents_belong_to_a_workspace() -> None:
    for kind in ("user", "key"):
        assert "belong to a workspace" in problems(rule(), kind)[0]


def test_all_mistakes_at_once() -> None:
    assert len(problems({"allow": ["a"], "deny": ["b"], "concurrent": 0} | rule(client="vim", action="x"))) == 5
