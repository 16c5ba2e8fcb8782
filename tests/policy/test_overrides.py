"""Which rule for coding agents a model meets."""

from conflux.policy.overrides import override_for
from tests.policy.samples import caller, policy, rule

FIRST, SECOND, LAST = rule("allow", "shop/one", client="codex"), rule("deny", "shop/*", "uno"), rule("deny", "*")
WHO = caller(policies=(policy(overrides=(FIRST, SECOND)), policy("user"), policy("key", overrides=(LAST,))))


def test_the_first_of_the_widest_policy_wins() -> None:
    assert override_for(WHO, "codex", ("shop/one",)) is FIRST
    assert override_for(WHO, "claude-code", ("shop/one",)) is SECOND
    assert override_for(WHO, "codex", ("mall/one", "uno")) is SECOND
    assert override_for(WHO, "codex", ("mall/one",)) is LAST


def test_no_client_and_no_rules_mean_no_rule() -> None:
    assert override_for(WHO, None, ("shop/one",)) is None
    assert override_for(caller(), "codex", ("shop/one",)) is None
    assert override_for(caller(policies=(policy(deny=("*",)),)), "codex", ("shop/one",)) is None
