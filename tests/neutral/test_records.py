"""The catalogue's records."""

from typing import Any

import msgspec
import pytest

from conflux.neutral import ledger, records, request
from conflux.neutral.policies import Policy, Terms
from conflux.neutral.records import Caller, Capability, Target
from conflux.neutral.request import Need


def test_a_targets_key_tells_it_from_every_other() -> None:
    one = Target(provider="a", model="b/c", variant="cloud")
    assert one.key == "a/b/c/cloud"
    others = [msgspec.structs.replace(one, **{field: "x"}).key for field in ("provider", "model", "variant")]
    assert len({one.key, *others}) == 4


@pytest.mark.parametrize("module", [records, request, ledger], ids=lambda module: module.__name__)
def test_records_are_frozen(module: object) -> None:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)]
    assert [value.__name__ for value in found if not value.__struct_config__.frozen] == []


def test_needs_and_capabilities_share_no_word_with_two_meanings() -> None:
    """What both name is the same thing: the gate goes from one to the other."""
    assert {need.value for need in Need} & {capability.value for capability in Capability} == {
        "tools",
        "audio",
        "completions",
        "web_search",
        "json_mode",
        "structured_outputs",
        "reasoning",
        "logprobs",
    }


def test_callers_who_may_run_the_same_are_known_by_one_word() -> None:
    base: dict[str, Any] = {"storefront": "shop", "workspace_id": 1, "workspace": "a", "user_id": 1, "user": "b"}
    one = Caller(key_id=1, name="x", models=frozenset({"a", "b"}), **base)
    two = Caller(key_id=2, name="y", models=frozenset({"b", "a"}), **base)
    assert one.narrowing == two.narrowing
    assert msgspec.structs.replace(two, models=frozenset({"a"})).narrowing != one.narrowing
    limited = msgspec.structs.replace(
        one, policies=(Policy(kind="key", owner_id=1, terms=Terms(concurrent=1, overrides=())),)
    )
    assert (limited.limited, limited.overridden) == (True, False)
