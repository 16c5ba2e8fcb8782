"""Twin of faces/admin/past.py."""

from typing import Any

import pytest

from conflux.faces.admin.past import route_of
from conflux.neutral.ledger import Call, Ending, Receipt
from conflux.neutral.usage import NOTHING, Provenance
from tests.policy.samples import model
from tests.relay.shops import PRICE, shop
from tests.relay.world import World

CATALOGUE = World(shop(more=[model(id="shop/two", price=PRICE, aliases=("deux",))])).snapshot.catalogue
GOOD = Call(role="direct", model="shop/two", status="done", latency_ms=90, target="p/m/cloud")
BAD = Call(role="direct", model="shop/two", status="failed", latency_ms=5, target="q/m/cloud", reason="refused: 503")


def receipt(**how: Any) -> Receipt:
    said: dict[str, Any] = {
        "request_id": 1, "created": 1, "caller_key": 1, "storefront": "shop", "requested_model": "shop/two",
        "served_model": "shop/two", "ending": Ending.DONE, "usage": NOTHING, "provenance": Provenance.UNKNOWN,
        "price_version": "", "cost": 0, "credits": 0, "simulated": False, "lines": (), "calls": (GOOD,), "dropped": (),
        "status": 200,
    }  # fmt: skip
    return Receipt(**{**said, **how})


def test_what_happened_is_told_in_its_order() -> None:
    found = route_of(receipt(calls=(BAD, GOOD)), CATALOGUE, house=True)
    assert (found["how"], found["task"], found["fallback"]) == ("named", None, False)
    assert found["words"] == [
        "the model shop/two was asked for by its name",
        "shop/two at q/m/cloud did not answer after 5 ms: refused: 503, so the next was tried",
        "shop/two at p/m/cloud answered in 90 ms",
        "it was answered to the end",
    ]


def test_whoever_is_not_the_house_learns_of_no_target() -> None:
    found = route_of(receipt(calls=(BAD, GOOD)), CATALOGUE, house=False)
    assert "cloud" not in str(found) and "refused" not in str(found)


@pytest.mark.parametrize(
    ("how", "words", "said"),
    [
        ("alias", "deux is another name of shop/two", {"requested_model": "deux"}),
        ("task", "shop/two was the best", {"requested_model": "code_gen", "task": "code_gen"}),
        ("flux", "2 drafted", {"requested_model": "shop/flux", "calls": (
            Call(role="source", model="a", status="done", latency_ms=1),
            Call(role="source", model="b", status="failed", latency_ms=1),
            Call(role="fuser", model="c", status="done", latency_ms=1))}),
        ("named", "paid nothing", {"ending": Ending.FAILED, "served_model": None, "calls": (BAD,)}),
        ("named", "cut", {"ending": Ending.CUT}),
        ("named", "left before", {"ending": Ending.CANCELLED}),
        ("named", "stopped meanwhile", {"ending": Ending.CRASHED, "calls": ()}),
    ],
)  # fmt: skip
def test_every_way_and_every_end(how: str, words: str, said: dict[str, Any]) -> None:
    found = route_of(receipt(**said), CATALOGUE, house=True)
    assert found["how"] == how and any(words in one for one in found["words"]) and not found["fallback"]
    assert not any("next was tried" in one for one in found["words"])


def test_another_model_that_stood_in_is_named() -> None:
    assert route_of(receipt(served_model="shop/one"), CATALOGUE, house=True)["fallback"]


def test_a_leg_that_was_outrun_is_told_as_late() -> None:
    late = Call(role="direct", model="shop/two", status="cancelled", latency_ms=500, reason="late")
    words = route_of(receipt(calls=(late, GOOD)), CATALOGUE, house=False)["words"]
    assert words[1] == "shop/two was late, so another target was asked too, which answered first"
