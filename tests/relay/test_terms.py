"""What is remembered of a name: made once, and never more than what its rules have looked at."""

import contextlib
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Capability
from conflux.neutral.request import Envelope, Need
from conflux.policy import SHAPE_RULES
from conflux.policy.case import Case
from conflux.relay import terms as module
from conflux.relay.standing import standing_of
from conflux.relay.terms import Terms, check_rules, terms_of
from tests.policy.samples import NOW, SHOP, caller, envelope, model
from tests.relay.shops import PRICE, shop
from tests.relay.world import World

KEY = caller()


def world(**fields: Any) -> World:
    return World(shop(more=[model(id="shop/two", price=PRICE, aliases=("second",))], **fields))


def terms(of: World, name: str, by: Any = KEY) -> Terms | None:
    front = of.snapshot.catalogue.storefronts["shop"]
    return terms_of(standing_of(of.snapshot, by, front, []), of.snapshot, by, front, name)


def found(of: World, name: str = "shop/one", by: Any = KEY) -> Terms:
    one = terms(of, name, by)
    assert one is not None
    return one


def test_they_are_made_once_for_a_name_and_a_kind_of_caller() -> None:
    one = world()
    assert found(one) is found(one, by=caller(key_id=2))
    assert found(one, "second").model is found(one, "shop/two").model
    assert found(one) is not found(one, by=caller(test=True))
    assert found(one) is not found(world())
    assert terms(one, "shop/none") is None


def test_no_more_names_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1)
    one = world()
    first = found(one)
    found(one, "shop/two")
    assert found(one) is not first


class Narrow:
    """A request that can be asked for its shape and for nothing else."""

    def __init__(self, of: Envelope) -> None:
        self.kind, self.needs, self.effort, self.dimensions = of.kind, of.needs, of.effort, of.dimensions


@pytest.mark.parametrize("rule", SHAPE_RULES, ids=lambda rule: str(rule.__name__))
@pytest.mark.parametrize(
    "fields",
    [{}, {"needs": frozenset(Need)}, {"effort": "low"}, {"dimensions": 63}, {"kind": "embedding"}],
    ids=["plain", "needs", "effort", "dimensions", "kind"],
)
@pytest.mark.parametrize("of", [{}, {"effort": "high", "dimensions": (64,), "price": PriceSheet()}], ids=["any", "odd"])
def test_a_rule_for_shapes_looks_at_the_shape_alone(rule: Any, fields: dict[str, Any], of: dict[str, Any]) -> None:
    """Else it would not be asked about what it looks at: a shape that passed once is never asked about again."""
    one: Any = Narrow(envelope(**fields))
    nobody: Any = None
    with contextlib.suppress(GatewayError):  # it may object, but to nothing else
        rule(Case(nobody, SHOP, model(capabilities=frozenset(Capability), **of), one, nobody))


def test_a_shape_that_passed_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Case] = []
    monkeypatch.setattr(module, "SHAPE_RULES", (asked.append,))
    one = found(world())
    for fields in ({}, {}, {"effort": "low"}, {"size": 7}, {"effort": "low"}, {"needs": frozenset({Need.TOOLS})}):
        check_rules(one, KEY, SHOP, envelope(**fields), NOW)
    assert [(case.envelope.effort, len(case.envelope.needs)) for case in asked] == [(None, 0), ("low", 0), (None, 1)]


def test_what_a_rule_objects_to_is_never_remembered() -> None:
    one = found(world())
    for _ in range(2):
        with pytest.raises(GatewayError) as refused:
            check_rules(one, KEY, SHOP, envelope(needs=frozenset({Need.STORED_FILES})), NOW)
        assert refused.value.kind is Kind.UNSUPPORTED


def test_a_key_is_looked_at_each_time() -> None:
    one = found(world())
    check_rules(one, caller(expires_at=int(NOW) + 1), SHOP, envelope(), NOW)
    with pytest.raises(GatewayError, match="expired"):
        check_rules(one, caller(expires_at=int(NOW) + 1), SHOP, envelope(), NOW + 1)


def test_no_more_shapes_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SHAPES", 2)
    one = found(world())
    for effort in ("low", "medium", "high"):
        check_rules(one, KEY, SHOP, envelope(effort=effort), NOW)
    assert len(one.passed) == 2
