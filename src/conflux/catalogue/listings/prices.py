"""A price sheet as lists state it: exact strings, or credits per thousand tokens.

Law: every figure comes from the one sheet in pico-units. Unknown is "" or null, zero is "0". A float is made at the
last moment, where a document asks for one, and only for showing.
"""

from conflux.catalogue.listings.row import Rendered
from conflux.neutral.money import PriceSheet, format_scaled
from conflux.neutral.records import Model

# the names of the fields as listed, and the sheet's
_PRICES = (
    ("prompt", "input"),
    ("completion", "output"),
    ("input_cache_read", "cache_read"),
    ("input_cache_write", "cache_write_5m"),
    ("request", "request"),
    ("image", "image"),
    ("web_search", "search"),
    ("internal_reasoning", "reasoning"),
)
_PER_ITEM = frozenset({"request", "image", "search"})


def price(sheet: PriceSheet, field: str, unit: int = 1) -> str:
    """
    >>> price(PriceSheet(input=435_000), "input"), price(PriceSheet(input=500_000), "input", 1_000_000)
    ('0.000000435', '0.5')
    """
    value: int | None = getattr(sheet, field)
    if value is None:
        return ""
    return format_scaled(value if field in _PER_ITEM else value * unit, 12)


def pricing(model: Model) -> Rendered:
    """All prices of a model, per its unit, with what the listing states beside the sheet."""
    found: Rendered = {name: price(model.price, field, model.unit) for name, field in _PRICES}
    found.update(model.listed_prices)
    found["unit"] = model.unit
    found["currency"] = model.price.rate.currency
    found["volumes"] = []
    return found


def per_thousand(pico: int | None) -> float | None:
    """
    >>> per_thousand(1_750_000)
    0.00175
    """
    return None if pico is None else float(format_scaled(pico * 1000, 12))
