"""What a request costs, against a second way of counting it: exact fractions, from the price sheet's own words."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from conflux.billing.amounts import SEARCHES_BOUND, Unpriced, charge, with_margin, worst_case
from conflux.neutral.money import USD, MoneyError, PriceSheet, Rate
from conflux.neutral.usage import BUCKETS, NOTHING, Usage

PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio", "image", "search",
          "request")  # fmt: skip
# bucket: the prices it may be charged at, the first that is stated counts
FALLS_BACK = {
    "input": ("input",),
    "cache_read": ("cache_read", "input"),
    "cache_write_5m": ("cache_write_5m", "input"),
    "cache_write_1h": ("cache_write_1h", "cache_write_5m", "input"),
    "output": ("output",),
    "reasoning": ("reasoning", "output"),
    "audio": ("audio", "input"),
    "image": ("image",),
    "search": ("search",),
}
ONLY_WHERE_STATED = {"image", "search"}

price = st.integers(0, 10**12) | st.integers(0, 3000)
tokens = st.integers(0, 10**9) | st.integers(0, 50)
rates = st.just(USD) | st.builds(
    Rate, currency=st.just("CNY"), nano_usd=st.integers(1, 10**12), date=st.just("2026-11-01")
)


@st.composite
def sheets(draw: st.DrawFn) -> PriceSheet:
    """A sheet with both of the prices that must be known, and any of the others."""
    named: dict[str, Any] = {name: draw(price) for name in ("input", "output")}
    named |= {name: draw(price) for name in PRICES[2:] if draw(st.booleans())}
    return PriceSheet(rate=draw(rates), **named)


usages = st.builds(Usage, **dict.fromkeys(BUCKETS, tokens))


def oracle(usage: Usage, sheet: PriceSheet) -> dict[str, int]:
    """Nano-USD by line: a fraction of a dollar, multiplied out and rounded up once."""
    worth = Fraction(sheet.rate.nano_usd, 10**9)  # USD for one unit of the sheet's currency
    lines: dict[str, int] = {}
    for bucket, names in FALLS_BACK.items():
        stated = [getattr(sheet, name) for name in names if getattr(sheet, name) is not None]
        quantity = getattr(usage, bucket)
        if not quantity or (not stated and bucket in ONLY_WHERE_STATED):
            continue
        dollars = quantity * Fraction(stated[0], 10**12) * worth
        lines[bucket] = ceil(dollars * 10**9)
    if sheet.request:
        lines["request"] = ceil(Fraction(sheet.request, 10**12) * worth * 10**9)
    return lines


@given(usages, sheets())
def test_a_charge_is_the_oracles_to_the_nano_dollar(usage: Usage, sheet: PriceSheet) -> None:
    lines, total = charge(usage, sheet)
    expected = oracle(usage, sheet)
    found = {line.bucket: line.amount for line in lines}
    # An image or a search at a stated price of 0 may be a line or not; it costs nothing either way.
    assert {name: amount for name, amount in expected.items() if amount or name in found} == found
    assert total == sum(expected.values())
    assert all(type(line.amount) is int for line in lines)


@given(usages, sheets())
def test_each_line_can_be_computed_again_from_what_it_says(usage: Usage, sheet: PriceSheet) -> None:
    for line in charge(usage, sheet)[0]:
        exact = Fraction(line.quantity * line.unit_price * sheet.rate.nano_usd, 10**12)
        assert exact <= line.amount < exact + 1
        assert line.quantity == (1 if line.bucket == "request" else getattr(usage, line.bucket))


def test_a_line_rounds_up_once_and_not_the_sum_of_it() -> None:
    sheet = PriceSheet(input=1, output=1)  # a thousandth of a nano-dollar per token
    assert charge(Usage(input=1000), sheet)[1] == 1
    assert charge(Usage(input=1001), sheet)[1] == 2
    assert charge(Usage(input=1, output=1), sheet)[1] == 2


def test_the_documents_example() -> None:
    # 0.435 and 0.87 USD per million tokens
    sheet = PriceSheet(input=435_000, output=870_000)
    lines, total = charge(Usage(input=100, output=20), sheet)
    assert total == 43_500 + 17_400
    assert [(line.bucket, line.quantity, line.unit_price, line.amount) for line in lines] == [
        ("input", 100, 435_000, 43_500),
        ("output", 20, 870_000, 17_400),
    ]


def test_cached_tokens_cost_what_input_does_where_no_cache_price_is_known() -> None:
    billed = charge(Usage(input=10, cache_read=90), PriceSheet(input=1000, output=0))[1]
    assert billed == charge(Usage(input=100), PriceSheet(input=1000, output=0))[1]
    assert charge(Usage(input=10, cache_read=90), PriceSheet(input=1000, output=0, cache_read=0))[1] == 10


def test_zero_is_a_price() -> None:
    free = PriceSheet(input=0, output=0)
    assert charge(Usage(input=10**9, output=10**9, reasoning=5), free)[1] == 0
    assert [line.bucket for line in charge(Usage(input=1, output=1), free)[0]] == ["input", "output"]


def test_nothing_used_costs_nothing_but_the_request_itself() -> None:
    assert charge(NOTHING, PriceSheet(input=1, output=1)) == ((), 0)
    assert charge(NOTHING, PriceSheet(input=1, output=1, request=2_000_000_000))[1] == 2_000_000


def test_a_foreign_price_is_worth_its_rate() -> None:
    yuan = Rate(currency="CNY", nano_usd=140_000_000, date="2026-11-01")
    sheet = PriceSheet(rate=yuan, input=1_000_000, output=2_000_000)  # 1 and 2 CNY per million
    assert charge(Usage(input=1_000_000), sheet)[1] == 140_000_000
    assert charge(Usage(input=1), sheet)[1] == 140
    assert charge(Usage(input=1), PriceSheet(rate=yuan, input=1, output=0))[1] == 1  # 0.00014, rounded up


@pytest.mark.parametrize("bucket", [bucket for bucket in BUCKETS if bucket not in ONLY_WHERE_STATED])
def test_an_unknown_price_raises_where_it_is_needed(bucket: str) -> None:
    needed = FALLS_BACK[bucket][-1]
    other: dict[str, Any] = {"input": 1, "output": 1}
    del other[needed]
    with pytest.raises(Unpriced):
        charge(Usage(**{bucket: 1}), PriceSheet(**other))


@pytest.mark.parametrize("known", [{}, {"input": 1}, {"output": 1}])
def test_a_hold_needs_both_prices(known: dict[str, Any]) -> None:
    with pytest.raises(Unpriced):
        worst_case(PriceSheet(**known), input_tokens=1, output_tokens=1)


@st.composite
def bounded(draw: st.DrawFn) -> tuple[Usage, dict[str, int]]:
    """A bound as a request has it, and a usage within it, spread over the buckets in any way."""
    size, output, choices = draw(st.integers(0, 10**7)), draw(st.integers(1, 10**6)), draw(st.integers(1, 8))
    images = draw(st.integers(0, 20))
    left, spread = size, {}
    for name in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio"):
        spread[name] = draw(st.integers(0, left))
        left -= spread[name]
    written = draw(st.integers(0, output * choices))
    spread["reasoning"] = draw(st.integers(0, written))
    spread["output"] = written - spread["reasoning"]
    spread["image"] = draw(st.integers(0, images))
    spread["search"] = draw(st.integers(0, SEARCHES_BOUND))
    bound = {"input_tokens": size, "output_tokens": output, "choices": choices, "images": images}
    return Usage(**spread), bound


@settings(max_examples=200)
@given(bounded(), sheets())
def test_a_hold_is_never_below_the_charge_of_any_usage_within_it(
    case: tuple[Usage, dict[str, int]], sheet: PriceSheet
) -> None:
    usage, bound = case
    hold = worst_case(sheet, searches=True, **bound)
    assert hold.amount >= charge(usage, sheet)[1]


@given(sheets(), st.integers(0, 10**7), st.integers(1, 10**6))
def test_the_floor_of_a_hold_is_what_its_least_input_costs_and_no_more_than_the_hold(
    sheet: PriceSheet, size: int, output: int
) -> None:
    least = -(-size // 4)
    hold = worst_case(sheet, input_tokens=size, output_tokens=output, least_input=least)
    assert hold.input_floor == charge(Usage(input=least), sheet)[1]
    assert hold.input_floor <= hold.amount


def test_a_hold_counts_every_choice_and_asks_for_searches_only_where_there_may_be_some() -> None:
    sheet = PriceSheet(input=0, output=1_000_000, search=1_000_000_000)
    one = worst_case(sheet, input_tokens=0, output_tokens=100).amount
    assert worst_case(sheet, input_tokens=0, output_tokens=100, choices=3).amount - one == 200_000
    assert worst_case(sheet, input_tokens=0, output_tokens=100, searches=True).amount - one == SEARCHES_BOUND * 10**6


def test_what_is_free_holds_nothing_and_what_is_not_holds_its_roundings_too() -> None:
    bound: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 1000, "images": 2, "searches": True}
    assert worst_case(PriceSheet(input=0, output=0, cache_read=0, request=0), **bound).amount == 0
    assert worst_case(PriceSheet(input=0, output=0, cache_read=1), input_tokens=0, output_tokens=0).amount == 10


@given(sheets(), st.decimals("0.000001", "100", places=6, allow_nan=False))
def test_a_margin_is_on_every_price_and_rounded_up_to_the_pico(sheet: PriceSheet, margin: object) -> None:
    found = with_margin(sheet, str(margin))
    for name in PRICES:
        before, after = getattr(sheet, name), getattr(found, name)
        assert (before is None) == (after is None)
        if before is not None:
            assert after == ceil(before * Fraction(str(margin)))
    assert found.rate == sheet.rate


def test_a_margin_of_one_changes_nothing_and_the_shipped_one_is_exact() -> None:
    sheet = PriceSheet(input=435_000, output=0)
    assert with_margin(sheet, "1") is sheet
    assert with_margin(sheet, "1.4").input == 609_000
    assert with_margin(sheet, "1.4").output == 0
    with pytest.raises(MoneyError):
        with_margin(sheet, "1.4x")


def test_a_version_says_all_that_made_the_price() -> None:
    yuan = Rate(currency="CNY", nano_usd=140_000_000, date="2026-11-01")
    sheet = PriceSheet(input=1, output=1, version="7")
    since = replace(sheet, effective_at="2026-10-05")
    versions = [with_margin(one, margin).version for one in (sheet, since, replace(since, rate=yuan))
                for margin in ("1", "1.4", "1.40", "1.5")]  # fmt: skip
    assert versions == [
        "7", "7 x1.4", "7 x1.4", "7 x1.5",
        "7 since 2026-10-05", "7 since 2026-10-05 x1.4", "7 since 2026-10-05 x1.4", "7 since 2026-10-05 x1.5",
        "7 since 2026-10-05 CNY=0.14@2026-11-01", "7 since 2026-10-05 x1.4 CNY=0.14@2026-11-01",
        "7 since 2026-10-05 x1.4 CNY=0.14@2026-11-01", "7 since 2026-10-05 x1.5 CNY=0.14@2026-11-01",
    ]  # fmt: skip
