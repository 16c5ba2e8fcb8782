"""Tier credits: seed 2's second currency.

Law: Core 1, Pro 3, Ultra 8 credits per 1,000 input tokens, kept exactly in micro-credits. Computed on every receipt
of a storefront; what they are deducted from is the ledger's business.
"""

from conflux.neutral.records import Tier
from conflux.neutral.usage import Usage

PER_THOUSAND = {Tier.CORE: 1, Tier.PRO: 3, Tier.ULTRA: 8}


def tier_credits(usage: Usage, tier: Tier | None) -> int:
    """Micro-credits: a credit per 1,000 tokens is 1,000 micro-credits per token, so nothing is rounded."""
    if tier is None:
        return 0
    return usage.prompt_total * PER_THOUSAND[tier] * 1000
