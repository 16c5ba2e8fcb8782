"""Controls beside the protocol: what makes no sense is refused by name, wherever it stands."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.errors import GatewayError, Kind
from conflux.relay.controls import most_cost, stands_in
from conflux.routing.board import NEVER
from tests.relay.answers import request
from tests.relay.shops import shop
from tests.relay.test_admit import TASKED, admitted

NAMED: dict[str, Any] = {"model": "shop/one"}
A_TASK: dict[str, Any] = {"model": None, "task_type": "creative"}
A_PANEL: dict[str, Any] = {"model": "shop/one", "flux": {"sources": ["shop/one"], "fuser": "shop/one"}}
FRONT = shop().storefronts["shop"]


def refused(headers: list[tuple[bytes, bytes]], catalogue: Catalogue = TASKED, **fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as wrong:
        admitted(request(**fields), catalogue, headers=headers)
    return wrong.value


@pytest.mark.parametrize("fields", [NAMED, A_TASK, A_PANEL])
@pytest.mark.parametrize("prefix", ["conflux", "shop"])
@pytest.mark.parametrize(
    ("control", "value", "told"),
    [
        ("fallback", b"maybe", "'maybe' is neither on nor off"),
        ("fallback", b"", "'' is neither on nor off"),
        ("fallback", b"\xff", "neither on nor off"),
        ("prefer", b"fast", "is not one of cost, balanced, speed, quality"),
        ("max-cost-usd", b"a lot", "is not an amount of USD above 0"),
    ],
)
def test_nonsense_is_refused_by_the_headers_name(
    fields: dict[str, Any], prefix: str, control: str, value: bytes, told: str
) -> None:
    name = f"x-{prefix}-{control}"
    error = refused([(name.encode(), value)], **fields)
    assert (error.kind, error.param) == (Kind.INVALID, name)
    assert error.message.startswith(f"{name}: ") and told in error.message


@pytest.mark.parametrize("fields", [NAMED, A_TASK, A_PANEL])
def test_a_wish_in_the_body_is_judged_even_where_nothing_is_chosen(fields: dict[str, Any]) -> None:
    error = refused([], prefer="fast", **fields)
    assert (error.kind, error.param) == (Kind.INVALID, "prefer")


def test_each_of_several_is_judged_and_other_headers_are_nobodys_business() -> None:
    assert refused([(b"x-shop-prefer", b"quick"), (b"x-shop-prefer", b"speed")], **A_TASK).param == "x-shop-prefer"
    found = admitted(request(), headers=[(b"x-other-fallback", b"maybe"), (b"x-shop-fallback", b" On ")])
    assert found.model.id == "shop/one"


def test_who_says_off_once_has_said_no() -> None:
    assert stands_in(FRONT, [])
    assert stands_in(FRONT, [(b"x-shop-fallback", b"ON"), (b"x-other-fallback", b"off")])
    assert not stands_in(FRONT, [(b"x-conflux-fallback", b"off"), (b"x-shop-fallback", b"on")])


def test_of_two_caps_the_last_counts() -> None:
    assert most_cost(FRONT, []) == NEVER
    assert most_cost(FRONT, [(b"x-shop-max-cost-usd", b"1"), (b"x-conflux-max-cost-usd", b"0.02")]) == 20_000_000
