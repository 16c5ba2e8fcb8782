"""Money: exact, rounded up once, and never a float."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral import money
from conflux.neutral.money import (
    PICO_PER_UNIT,
    MoneyError,
    PriceSheet,
    Rate,
    as_listed,
    ceil_div,
    credits_text,
    format_scaled,
    line_amount,
    nano_from_usd,
    parse_scaled,
    per_million,
    per_token,
    pico_from_per_item,
    pico_from_per_million,
    usd,
)

AMOUNTS = st.integers(-(10**30), 10**30)
DIGITS = st.integers(0, 18)


@given(AMOUNTS, DIGITS)
def test_what_is_shown_is_exact_and_the_shortest(value: int, digits: int) -> None:
    text = format_scaled(value, digits)
    assert Fraction(text) * 10**digits == value
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")


@given(st.integers(-(10**20), 10**20), DIGITS)
def test_what_is_shown_is_read_back(value: int, digits: int) -> None:
    text = format_scaled(value, digits)
    if len(text.lstrip("-").partition(".")[0]) <= 15:
        assert parse_scaled(text, digits, allow_negative=True) == value


@given(st.integers(0, 10**15 - 1), st.text("0123456789", max_size=18), DIGITS)
def test_what_is_read_is_exact_or_refused(whole: int, fraction: str, digits: int) -> None:
    text = f"{whole}.{fraction}" if fraction else str(whole)
    exact = Fraction(text) * 10**digits
    if exact.denominator == 1:
        assert parse_scaled(text, digits) == exact
    else:
        with pytest.raises(MoneyError, match="finer"):
            parse_scaled(text, digits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "1e3",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1,0",
        "0x1",
        "1_000",
        "NaN",
        "Infinity",
        "--1",
        "1.2.3",
        "１",
        "1" * 16,
    ],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="not a plain decimal"):
        parse_scaled(text, 6)


@pytest.mark.parametrize("value", [0.1, 1, None, True, b"1", Decimal("1"), ["1"]])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(MoneyError, match="as a string"):
        parse_scaled(value, 6)


def test_negative_only_where_it_makes_sense() -> None:
    with pytest.raises(MoneyError, match="negative"):
        parse_scaled("-1", 6)
    assert parse_scaled("-1.5", 6, allow_negative=True) == -1_500_000
    assert parse_scaled("-0", 6, allow_negative=True) == 0


def test_units() -> None:
    assert pico_from_per_million("0.435") == 435_000
    assert pico_from_per_item("0.003613") == 3_613_000_000
    assert nano_from_usd("1.000000001") == 1_000_000_001
    assert (per_million(435_000), per_token(435_000)) == ("0.435", "0.000000435")
    assert (as_listed("audio", 435_000), as_listed("image", 40_000_000_000)) == ("0.435", "0.04")
    assert (usd(60_900), credits_text(1_500_000)) == ("0.0000609", "1.5")
    assert (usd(0), usd(-1)) == ("0", "-0.000000001")


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_ceil_div(numerator: int, denominator: int) -> None:
    assert ceil_div(numerator, denominator) == math.ceil(Fraction(numerator, denominator))


QUANTITIES = st.integers(0, 10**10)
PICOS = st.integers(0, 10**12)


@given(QUANTITIES, PICOS)
def test_a_line_is_rounded_up_once(quantity: int, pico: int) -> None:
    assert line_amount(quantity, pico) == math.ceil(Fraction(quantity * pico, 1000))


@given(QUANTITIES, PICOS, st.integers(1, 10**12))
def test_a_line_in_another_currency_is_rounded_up_once(quantity: int, pico: int, rate: int) -> None:
    exact = Fraction(quantity * pico * rate, PICO_PER_UNIT)
    assert line_amount(quantity, pico, Rate(currency="CNY", nano_usd=rate, date="2026-11-21")) == math.ceil(exact)


@given(QUANTITIES, PICOS)
def test_a_dollar_is_a_dollar(quantity: int, pico: int) -> None:
    """The short way for dollars is the long way."""
    exact = Fraction(quantity * pico * money.NANO_PER_USD, PICO_PER_UNIT)
    assert line_amount(quantity, pico, money.USD) == math.ceil(exact)


def test_a_sheet_is_known_by_its_two_main_prices() -> None:
    assert not PriceSheet().known
    assert not PriceSheet(input=0).known
    assert not PriceSheet(output=0).known
    assert PriceSheet(input=0, output=0).known


@pytest.mark.parametrize(
    "field", [name for name in PriceSheet.__struct_fields__ if name not in ("version", "effective_at", "rate")]
)
def test_free_means_that_nothing_costs(field: str) -> None:
    free = PriceSheet(input=0, output=0)
    assert free.free
    assert not PriceSheet().free
    assert not msgspec.structs.replace(free, **{field: 1}).free
    assert msgspec.structs.replace(free, **{field: 0}).free
