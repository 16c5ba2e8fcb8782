"""The rules together: what is told first where several would refuse."""

from itertools import combinations
from typing import Any

import pytest

from conflux.neutral.errors import Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.request import Need
from conflux.policy import RULES
from tests.policy.samples import caller, case, envelope, first_refusal, model

# What each rule has against a request, in the order of the rules: who calls, what there is, then what was asked.
# That the caller may run the model at all was decided before (permitted.py), so whoever may not learns nothing here.
OBJECTIONS: list[tuple[str, Kind, dict[str, Any]]] = [
    ("check_key", Kind.UNAUTHENTICATED, {"by": {"revoked": True}}),
    ("check_effort", Kind.INVALID, {"of": {"effort": "high"}, "asks": {"effort": "low"}}),
    ("check_capability", Kind.UNSUPPORTED, {"asks": {"needs": frozenset({Need.TOOLS})}}),
    ("check_dimensions", Kind.INVALID, {"of": {"dimensions": (64,)}, "asks": {"dimensions": 63}}),
    ("check_stored_files", Kind.UNSUPPORTED, {"asks": {"needs": frozenset({Need.STORED_FILES})}}),
    ("check_priced", Kind.UNAVAILABLE, {"of": {"price": PriceSheet()}}),
]


def objected(*which: int) -> Any:
    fields: dict[str, dict[str, Any]] = {"by": {}, "of": {}, "asks": {}}
    for number in which:
        for name, given in OBJECTIONS[number][2].items():
            fields[name] |= given
    return case(by=caller(**fields["by"]), of=model(**fields["of"]), asks=envelope(**fields["asks"]))


def test_the_order_is_this() -> None:
    assert [rule.__name__ for rule in RULES] == [name for name, _, _ in OBJECTIONS]


def test_a_plain_request_passes() -> None:
    assert first_refusal(case()) is None


@pytest.mark.parametrize("number", range(len(OBJECTIONS)))
def test_each_rule_alone_refuses(number: int) -> None:
    assert first_refusal(objected(number)) is OBJECTIONS[number][1]


@pytest.mark.parametrize("pair", list(combinations(range(len(OBJECTIONS)), 2)))
def test_of_two_objections_the_earlier_rules_is_told(pair: tuple[int, int]) -> None:
    assert first_refusal(objected(*pair)) is OBJECTIONS[pair[0]][1]
