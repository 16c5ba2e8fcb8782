"""Credits: what a receipt says beside its money.

Law: pure, in micro-credits. A storefront's billing scheme says which credits its receipts carry:
`tier_credits` (seed 2): Core 1, Pro 3, Ultra 8 per 1,000 input tokens, exact; `token_credits` (seed 3): each bucket at
its price, the storefront's margin in it, a credit for a dollar, rounded up once; `usd`: none. What they are deducted
from is the ledger's business.
"""

from collections.abc import Iterable

from conflux.neutral.ledger import Line
from conflux.neutral.money import PICO_PER_UNIT, Rate, ceil_div
from conflux.neutral.records import Storefront, Tier
from conflux.neutral.usage import Usage

PER_THOUSAND = {Tier.CORE: 1, Tier.PRO: 3, Tier.ULTRA: 8}

_NANO_PER_MICRO = 1000


def tier_rate(tier: Tier | None) -> int:
    """Micro-credits for a token."""
    return 0 if tier is None else PER_THOUSAND[tier] * 1000


def credits_for(nano: int) -> int:
    """What so much money is in micro-credits where a credit stands for a dollar."""
    return ceil_div(nano, _NANO_PER_MICRO)


def tier_credits(usage: Usage, tier: Tier | None) -> int:
    """A credit per 1,000 tokens is 1,000 micro-credits per token, so nothing is rounded."""
    return usage.prompt_total * tier_rate(tier)


def token_credits(lines: Iterable[Line], rate: Rate, most: int) -> int:
    """Nobody pays more than was held (`most`, nano-USD), in credits neither."""
    pico = sum(line.quantity * line.unit_price for line in lines)
    return min(ceil_div(pico * rate.nano_usd, _NANO_PER_MICRO * PICO_PER_UNIT), credits_for(most))


def has_credits(storefront: Storefront) -> bool:
    return storefront.billing != "usd"
