"""Figures as the documents show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.figures import TAGS, price, tags, tokens
from conflux.neutral.money import pico_from_per_million
from conflux.neutral.records import Capability, Model

SHOWN = [
    (None, "-"),
    (0, "0"),
    (1, "1"),
    (999, "999"),
    (1000, "1K"),
    (1001, "1.0K"),
    (128_000, "128K"),
    (192_614, "192.6K"),
    (192_850, "192.8K"),
    (196_608, "196.6K"),
    (202_752, "202.8K"),
    (249_036, "249.0K"),
    (262_144, "262.1K"),
    (997_500, "997.5K"),
    (999_949, "999.9K"),
    (999_950, "1.0M"),
    (999_999, "1.0M"),
    (1_000_000, "1M"),
    (1_048_576, "1.0M"),
    (1_050_000, "1.1M"),
    (2_000_000, "2M"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_tokens(value: int | None, text: str) -> None:
    assert tokens(value) == text


@given(st.integers(min_value=0, max_value=10**10))
def test_a_token_figure_never_outgrows_its_unit_and_stays_near(value: int) -> None:
    text = tokens(value)
    unit = {"K": 1_000, "M": 1_000_000}.get(text[-1], 1)
    number = float(text.rstrip("KM"))
    assert unit == 1_000_000 or number < 1000
    assert abs(number * unit - value) <= 0.05 * unit + 1e-6 * value


PRICES = [
    ("0", "$0"),
    ("0.435", "$0.435"),
    ("0.870", "$0.870"),
    ("0.130", "$0.130"),
    ("0.7448", "$0.7448"),
    ("0.090", "$0.090"),
    ("1.05", "$1.05"),
    ("2", "$2.00"),
    ("3.5", "$3.50"),
    ("4.655", "$4.655"),
]


@pytest.mark.parametrize(("said", "text"), PRICES)
def test_price(said: str, text: str) -> None:
    assert price(pico_from_per_million(said)) == text


def test_unknown_price_is_a_dash_and_not_free() -> None:
    assert price(None) == "-"
    assert price(500_000, "CNY ") == "CNY 0.500"


@given(st.integers(min_value=0, max_value=10**15))
def test_a_shown_price_is_exact(pico: int) -> None:
    assert pico_from_per_million(price(pico).removeprefix("$")) == pico


def test_every_capability_has_a_tag() -> None:
    assert set(TAGS) == set(Capability)


def test_tags_keep_one_order_and_end_with_the_lane() -> None:
    able = frozenset({Capability.COMPLETIONS, Capability.TEXT, Capability.VISION})
    model = Model(storefront="s", id="m", name="m", pool="p", capabilities=able, lane="compat")
    assert tags(model) == ["Text", "Vision", "Completions", "Conflux compat"]
