"""What a request costs, and the most it can cost.

Law: each bucket is charged once, at its own price or the one it falls back to, and rounded up once, on its line.
The worst case is never below the real one: it counts every byte as a token at the dearest price it could have.
An unknown price is not a free one: it raises Unpriced.
"""

from typing import NamedTuple

from conflux.neutral.ledger import Line
from conflux.neutral.money import PICO_PER_UNIT, PriceSheet, line_amount, parse_scaled, per_token
from conflux.neutral.usage import Usage


class Unpriced(Exception):
    """The sheet does not know a price this request needs."""


class Hold(NamedTuple):
    """Nano-USD to reserve, and the least a started answer costs."""

    amount: int
    input_floor: int


# bucket: the names of the prices it is charged at, the first known one counts
_FALLS_BACK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("input", ("input",)),
    ("cache_read", ("cache_read", "input")),
    ("cache_write_5m", ("cache_write_5m", "input")),
    ("cache_write_1h", ("cache_write_1h", "cache_write_5m", "input")),
    ("output", ("output",)),
    ("reasoning", ("reasoning", "output")),
    ("audio", ("audio", "input")),
)
# charged only where a price is stated
_STATED = ("image", "search")


def _price(sheet: PriceSheet, names: tuple[str, ...]) -> int:
    for name in names:
        price: int | None = getattr(sheet, name)
        if price is not None:
            return price
    raise Unpriced(f"no price for {names[0]}")


def charge(usage: Usage, sheet: PriceSheet) -> tuple[tuple[Line, ...], int]:
    """The lines of a receipt and their sum."""
    lines: list[Line] = []
    total = 0
    for bucket, names in _FALLS_BACK:
        quantity: int = getattr(usage, bucket)
        if quantity:
            price = _price(sheet, names)
            amount = line_amount(quantity, price, sheet.rate)
            total += amount
            lines.append(Line(bucket, quantity, per_token(price), amount))
    for bucket in _STATED:
        quantity = getattr(usage, bucket)
        price = getattr(sheet, bucket)
        if quantity and price:
            amount = line_amount(quantity, price, sheet.rate)
            total += amount
            lines.append(Line(bucket, quantity, per_token(price), amount))
    if sheet.request:
        amount = line_amount(1, sheet.request, sheet.rate)
        total += amount
        lines.append(Line("request", 1, per_token(sheet.request), amount))
    return tuple(lines), total


# A search-capable request may search several times; more than this is borne by the house.
SEARCHES_BOUND = 10


def worst_case(
    sheet: PriceSheet,
    *,
    input_tokens: int,
    output_tokens: int,
    choices: int = 1,
    images: int = 0,
    searches: bool = False,
) -> Hold:
    """The hold: every input token at the dearest input price, every output token at the dearest output price."""
    if sheet.input is None or sheet.output is None:
        raise Unpriced("the model has no price")
    dearest_in = max(sheet.input, sheet.cache_read or 0, sheet.cache_write_5m or 0, sheet.cache_write_1h or 0,
                     sheet.audio or 0)  # fmt: skip
    dearest_out = max(sheet.output, sheet.reasoning or 0)
    rate = sheet.rate
    amount = line_amount(input_tokens, dearest_in, rate) + line_amount(output_tokens * choices, dearest_out, rate)
    amount += _ROUNDINGS
    if images and sheet.image:
        amount += line_amount(images, sheet.image, rate)
    if searches and sheet.search:
        amount += line_amount(SEARCHES_BOUND, sheet.search, rate)
    fixed = line_amount(1, sheet.request, rate) if sheet.request else 0
    return Hold(amount + fixed, fixed)


# Each line rounds up by less than one nano-USD; a receipt has at most ten.
_ROUNDINGS = 10


def with_margin(sheet: PriceSheet, margin: str) -> PriceSheet:
    """A storefront's prices from its costs: every price times an exact decimal, rounded up to the pico once."""
    factor = parse_scaled(margin, 12)
    if factor == PICO_PER_UNIT:
        return sheet

    def scaled(price: int | None) -> int | None:
        return None if price is None else -(-price * factor // PICO_PER_UNIT)

    names = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio", "image",
             "search", "request")  # fmt: skip
    return PriceSheet(version=sheet.version, rate=sheet.rate, **{name: scaled(getattr(sheet, name)) for name in names})
