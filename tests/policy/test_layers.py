"""What three policies leave of a catalogue."""

from typing import Any

import pytest

from conflux.policy.layers import by_policies
from tests.policy.samples import caller, model, policy

ALL: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("workspace", "user", "key", "reason"),
    [
        (ALL, ALL, ALL, None),
        ({"allow": ("shop/*",)}, {"allow": ("*",)}, {"allow": ("shop/one",)}, None),
        ({"allow": ("mall/*",)}, ALL, {"allow": ("shop/one",)}, "the workspace's policy allows other models only"),
        (ALL, {"allow": ()}, ALL, "the user's policy allows other models only"),
        (ALL, ALL, {"deny": ("mall/*", "shop/o*")}, "the key's policy denies shop/o*"),
        ({"allow": ("shop/one",), "deny": ("shop/one",)}, ALL, ALL, "the workspace's policy denies shop/one"),
        (ALL, {"deny": ("uno",)}, ALL, "the user's policy denies uno"),
        (ALL, {"allow": ("uno",)}, ALL, None),
    ],
)
def test_every_layer_must_let_it_pass(
    workspace: dict[str, Any], user: dict[str, Any], key: dict[str, Any], reason: str | None
) -> None:
    who = caller(policies=(policy("workspace", **workspace), policy("user", **user), policy("key", **key)))
    assert by_policies(who, model(aliases=("uno",))) == reason


def test_without_a_policy_everything_passes() -> None:
    assert by_policies(caller(), model()) is None
