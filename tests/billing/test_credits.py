"""Tier credits, by document 2: Core 1, Pro 3, Ultra 8 per 1,000 input tokens, kept exactly."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from conflux.billing.credits import PER_THOUSAND, tier_credits
from conflux.neutral.money import MICRO_PER_CREDIT, credits_text
from conflux.neutral.records import Tier
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
