"""Who may stand in for whom, and in which order."""

from typing import Any

import pytest

from conflux.neutral.records import Tier
from conflux.routing.fallback import Option, Prices, objections, ranked
from tests.policy.samples import model

ASKED = model(id="asked", tier=Tier.PRO)
PRICES = Prices(1000, 100, 200)


def option(name: str = "other", tier: Tier | None = Tier.PRO, **fields: Any) -> Option:
    base: dict[str, Any] = {
        "model": model(id=name, tier=tier),
        "lacks": (),
        "prices": PRICES,
        "live": True,
        "score": 1.0,
    }
    return Option(**base | fields)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (option(), ()),
        (option(lacks=("tools", "context")), ("tools", "context")),
        (option(tier=Tier.CORE), ("tier",)),
        (option(tier=None), ("tier",)),
        (option(tier=Tier.ULTRA), ()),
        (option(prices=None), ("price",)),
        (option(prices=Prices(1500, 150, 300)), ()),
        (option(prices=Prices(1501, 100, 200)), ("price",)),
        (option(prices=Prices(1000, 151, 200)), ("price",)),
        (option(prices=Prices(1000, 100, 301)), ("price",)),
        (option(live=False), ("live target",)),
        (option(lacks=("image",), tier=None, prices=None, live=False), ("image", "tier", "price", "live target")),
    ],
)
def test_what_is_held_against_it(one: Option, said: tuple[str, ...]) -> None:
    assert objections(one, ASKED, PRICES) == said
    assert [found.id for found in ranked([one], ASKED, PRICES)] == ([] if said else ["other"])


def test_a_model_without_a_tier_may_be_stood_in_for_by_any() -> None:
    assert objections(option(tier=None), model(tier=None), PRICES) == ()


def test_nobody_pays_more_while_somebody_is_not_dearer() -> None:
    options = [
        option("dearer", prices=Prices(1001, 100, 200)),
        option("slow", prices=Prices(500, 50, 100), score=9.0),
        option("cheap", prices=Prices(500, 50, 100), score=2.0),
        option("b", prices=Prices(1000, 100, 200)),
        option("a", prices=Prices(1000, 100, 200)),
        option("blind", lacks=("image",)),
    ]
    assert [one.id for one in ranked(options, ASKED, PRICES)] == ["a", "b", "cheap", "slow", "dearer"]
