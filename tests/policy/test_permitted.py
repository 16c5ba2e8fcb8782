"""Who may see and run what, as a table; and how one model is served in another's place."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue, build
from conflux.neutral.errors import Kind
from conflux.neutral.records import Caller, Model, Pool, Storefront
from conflux.policy.permitted import Verdict, decide, decide_name, unknown_model
from tests.policy.samples import caller, model, policy, rule

ONE, TWO = model(), model(id="shop/two", aliases=("dos",))


def verdict(by: Caller | None, of: Model, client: str | None = None) -> Verdict:
    return decide(by, client, of, {"shop/one": ONE, "shop/two": TWO, "dos": TWO, of.id: of}.get)


@pytest.mark.parametrize(
    ("who", "what", "may"),
    [
        ({}, {}, True),
        ({}, {"enabled": False}, False),
        ({"admin": True}, {"enabled": False}, False),
        ({}, {"account": True}, False),
        ({"admin": True}, {"account": True}, False),
        ({"policies": (policy(entitle=("shop/*",)),)}, {"account": True}, True),
        ({"policies": (policy("key", entitle=("shop/one",)),)}, {"account": True}, True),
        ({"policies": (policy(entitle=("shop/two",)),)}, {"account": True}, False),
        ({}, {"storefront": "other"}, False),
        ({"admin": True}, {"storefront": "other"}, True),
        ({"models": frozenset({"shop/one"})}, {}, True),
        ({"models": frozenset({"shop/two"})}, {}, False),
        ({"models": frozenset()}, {}, False),
        ({"models": frozenset({"shop/two"}), "admin": True}, {}, False),
        ({"agent": True}, {}, False),
        ({"agent": True}, {"agent": True}, True),
        ({"agent": True, "models": frozenset({"shop/two"})}, {"agent": True}, False),
        ({"test": True}, {}, True),
        ({"policies": (policy(allow=("shop/*",)),)}, {}, True),
        ({"policies": (policy(allow=("shop/*",)), policy("user", deny=("*one",)))}, {}, False),
    ],
)
def test_who_may_run_what(who: dict[str, Any], what: dict[str, Any], may: bool) -> None:
    of = model(**what)
    found = verdict(caller(**who), of)
    assert (found.served is of, found.reason is None) == (may, may)


def test_the_public_sees_what_is_enabled_and_needs_no_account() -> None:
    assert verdict(None, ONE).served is ONE
    assert verdict(None, model(enabled=False)) == (None, "it is disabled", False)
    assert verdict(None, model(account=True)).served is None
    assert verdict(None, model(storefront="other")).served is not None


# --- rules for coding agents


def test_a_rule_is_for_its_client_and_for_nobody_else() -> None:
    by = caller(policies=(policy(overrides=(rule("deny", "shop/one", client="codex"),)),))
    assert verdict(by, ONE, "codex") == (None, "a rule for codex denies it", False)
    assert verdict(by, ONE, "claude-code").served is ONE
    assert verdict(by, ONE).served is ONE
    every = caller(policies=(policy(overrides=(rule("deny", "shop/one"),)),))
    assert [verdict(every, ONE, one).served for one in ("codex", "claude-code")] == [None, None]
    assert verdict(every, ONE).served is ONE  # no agent at all


def test_the_first_rule_that_matches_decides() -> None:
    rules = (rule("allow", "shop/two"), rule("deny", "shop/*"))
    by = caller(policies=(policy(overrides=rules),))
    assert verdict(by, TWO, "codex").served is TWO
    assert verdict(by, ONE, "codex").served is None


def test_an_allowing_rule_opens_nothing_that_another_layer_closed() -> None:
    rules = policy(overrides=(rule("allow", "*"),))
    for who in ({"models": frozenset({"shop/two"})}, {"policies": (rules, policy("key", deny=("shop/one",)))}):
        assert verdict(caller(**{"policies": (rules,)} | who), ONE, "codex").served is None


@pytest.mark.parametrize("to", ["shop/two", "dos"])
def test_another_model_is_served_in_its_place(to: str) -> None:
    by = caller(policies=(policy(overrides=(rule("substitute", "shop/one", to=to),)),))
    assert verdict(by, ONE, "codex") == (TWO, None, True)
    assert verdict(by, TWO, "codex") == (TWO, None, False)


def test_what_may_not_run_itself_may_be_served_by_what_may() -> None:
    """The owner's rule says what to do with the name; the model that runs is one the key may run."""
    by = caller(policies=(policy(overrides=(rule("substitute", "shop/one", to="shop/two"),)),),
                models=frozenset({"shop/two"}))  # fmt: skip
    assert verdict(by, ONE, "codex").served is TWO
    assert verdict(by, ONE).served is None


def test_nothing_is_served_that_the_caller_may_not_run() -> None:
    by = caller(policies=(policy(overrides=(rule("substitute", "*", to="shop/two"),), deny=("shop/two",)),))
    found = verdict(by, ONE, "codex")
    assert found.served is None and "the workspace's policy denies shop/two" in str(found.reason)
    by = caller(policies=(policy(overrides=(rule("substitute", "*", to="shop/none"),)),))
    found = verdict(by, ONE, "codex")
    assert found.served is None and "shop/none, which is no model here" in str(found.reason)


def test_a_name_that_no_model_has_can_be_served_by_a_rule_alone() -> None:
    names = {"shop/two": TWO}.get
    by = caller(policies=(policy(overrides=(rule("substitute", "claude-haiku-*", to="shop/two"),)),))
    assert decide_name(by, "claude-code", "claude-haiku-4-5-20251001", names).served is TWO
    assert decide_name(by, None, "claude-haiku-4-5-20251001", names).served is None
    assert decide_name(by, "claude-code", "claude-opus-4", names).served is None
    assert decide_name(by, "claude-code", "claude-haiku-" + "9" * 10_000, names).served is None
    allowing = caller(policies=(policy(overrides=(rule("allow", "*"),)),))
    assert decide_name(allowing, "claude-code", "anything", names).served is None


# --- names


def test_a_long_name_is_not_told_back_whole() -> None:
    found = unknown_model("x" * 10_000)
    assert len(found.message) < 250 and (found.kind, found.param) == (Kind.MODEL_NOT_FOUND, "model")


def catalogue() -> Catalogue:
    one, two = model(id="shop/one", aliases=("uno",)), model(id="shop/two", aliases=("dos",), canonical_slug="two-1")
    return build([Storefront(id="shop", name="Shop", mount="/")], [one, two], [Pool(id="pond")], [])


@pytest.mark.parametrize(
    "narrow",
    [
        caller(models=frozenset({"shop/two"})),
        caller(policies=(policy(allow=("two-1",)),)),
        caller(policies=(policy("user", deny=("uno",)),)),
    ],
)
def test_it_holds_whatever_name_the_model_is_called_by(narrow: Caller) -> None:
    """An alias of a model is the same model, an alias of another is not."""
    runs = {
        name: verdict(narrow, found).served is found
        for name in ("shop/one", "uno", "shop/two", "dos", "two-1")
        if (found := catalogue().resolve("shop", name)) is not None
    }
    assert runs == {"shop/one": False, "uno": False, "shop/two": True, "dos": True, "two-1": True}
