"""Who may use what runs on a connected account."""

import pytest

from conflux.policy.entitlement import by_entitlement
from tests.policy.samples import caller, model, policy

ACCOUNT = model(account=True, aliases=("uno",))


def test_other_models_need_no_word() -> None:
    assert by_entitlement(None, model()) is None


def test_without_a_word_nobody_may() -> None:
    for who in (None, caller(), caller(admin=True), caller(policies=(policy(allow=("*",)),))):
        assert "no policy entitles" in str(by_entitlement(who, ACCOUNT))


@pytest.mark.parametrize("kind", ["workspace", "user", "key"])
@pytest.mark.parametrize(("pattern", "may"), [("*", True), ("shop/one", True), ("uno", True), ("shop/two", False)])
def test_the_word_of_any_policy_is_enough(kind: str, pattern: str, may: bool) -> None:
    who = caller(policies=(policy("workspace", entitle=("nothing",)), policy(kind, entitle=(pattern,))))
    assert (by_entitlement(who, ACCOUNT) is None) is may
