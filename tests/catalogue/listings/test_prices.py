"""Prices as lists state them: exact, from one sheet."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.prices import per_thousand, price, pricing
from conflux.neutral.money import PriceSheet
from tests.catalogue.listings.samples import has_types, rendered
from tests.catalogue.samples import seed

TYPES = seed("4-tokenflux.json")["types"]["pricing"]


def test_unknown_is_empty_and_zero_is_zero() -> None:
    found = rendered("tokenflux", {"price": {"input": "0"}})["pricing"]
    assert (found["prompt"], found["completion"], found["image"]) == ("0", "", "")


def test_a_price_is_shown_per_its_unit_and_an_item_is_not_a_token() -> None:
    fields = {"price": {"input": "0.5", "output": "2", "image": "0.003613", "request": "0.01", "unit": 1_000_000}}
    found = rendered("tokenflux", fields)["pricing"]
    assert (found["prompt"], found["completion"], found["unit"]) == ("0.5", "2", 1_000_000)
    assert (found["image"], found["request"]) == ("0.003613", "0.01")


def test_every_sheet_of_the_catalogue_has_the_documented_types(shipped: Catalogue) -> None:
    for model in shipped.models.values():
        found: dict[str, Any] = pricing(model)
        has_types(found, TYPES)
        assert set(found) == set(TYPES)


@pytest.mark.parametrize(("pico", "text"), [(1, "0.000000000001"), (10**12, "1"), (90_000, "0.00000009")])
def test_no_figure_is_rounded_or_written_with_an_exponent(pico: int, text: str) -> None:
    assert price(PriceSheet(input=pico), "input") == text


def test_per_thousand_tokens_is_a_number_or_null() -> None:
    assert (per_thousand(0), per_thousand(2_450_000), per_thousand(None)) == (0.0, 0.00245, None)
    assert type(per_thousand(0)) is float
