"""Credits: by tier as document 2 has them, by token as document 3."""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from conflux.billing.amounts import charge, with_margin
from conflux.billing.credits import PER_THOUSAND, has_credits, tier_credits, token_credits
from conflux.neutral.money import MICRO_PER_CREDIT, USD, PriceSheet, Rate, credits_text
from conflux.neutral.records import Storefront, Tier
from conflux.neutral.usage import BUCKETS, Usage


def test_the_documents_rates() -> None:
    assert {tier.value: rate for tier, rate in PER_THOUSAND.items()} == {"core": 1, "pro": 3, "ultra": 8}
    assert set(PER_THOUSAND) == set(Tier)
    assert credits_text(tier_credits(Usage(input=1000), Tier.ULTRA)) == "8"
    assert credits_text(tier_credits(Usage(input=28), Tier.PRO)) == "0.084"


@given(st.builds(Usage, **dict.fromkeys(BUCKETS, st.integers(0, 10**9))), st.sampled_from(Tier))
def test_credits_are_exact_and_count_the_whole_input_once(usage: Usage, tier: Tier) -> None:
    prompt = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.audio
    assert Fraction(tier_credits(usage, tier), MICRO_PER_CREDIT) == Fraction(prompt, 1000) * PER_THOUSAND[tier]


def test_what_a_model_writes_costs_no_credits_and_no_tier_is_none() -> None:
    assert tier_credits(Usage(output=10**6, reasoning=10**6), Tier.ULTRA) == 0
    assert tier_credits(Usage(input=10**6), None) == 0


def test_token_credits_are_what_the_list_says_per_thousand() -> None:
    """A cost of 0.435 dollars per million and a margin of 1.4: 0.000609 credits per 1,000."""
    lines, _ = charge(Usage(input=1000, output=2000), with_margin(PriceSheet(input=435_000, output=0), "1.4"))
    assert credits_text(token_credits(lines, USD, 10**9)) == "0.000609"


AMOUNTS = st.integers(0, 10**9)


@given(st.builds(Usage, input=AMOUNTS, output=AMOUNTS, cache_read=AMOUNTS), AMOUNTS, AMOUNTS, st.booleans())
def test_token_credits_are_rounded_up_once(usage: Usage, price: int, other: int, yuan: bool) -> None:
    rate = Rate(currency="CNY", nano_usd=140_000_000, date="2026-11-01") if yuan else USD
    lines, _ = charge(usage, PriceSheet(input=price, output=other, cache_read=0, rate=rate))
    dollars = Fraction(usage.input * price + usage.output * other, 10**12) * Fraction(rate.nano_usd, 10**9)
    assert token_credits(lines, rate, 10**30) == ceil(dollars * MICRO_PER_CREDIT)


def test_token_credits_end_where_the_hold_does() -> None:
    lines, total = charge(Usage(input=1000), PriceSheet(input=10**9, output=0))
    assert token_credits(lines, USD, total) == 10**6
    assert token_credits(lines, USD, total // 2) == 10**6 // 2


def test_a_storefront_has_credits_unless_it_bills_dollars_alone() -> None:
    faces = [Storefront(id="a", name="A", mount="/", billing=one) for one in ("usd", "tier_credits", "token_credits")]
    assert [has_credits(one) for one in faces] == [False, True, True]
