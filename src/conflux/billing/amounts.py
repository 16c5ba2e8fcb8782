"""What a request costs, and the most it can cost.

Law: each bucket is charged once, at its own price or the one it falls back to, and rounded up once, on its line.
The worst case is never below the real one: it counts every byte as a token at the dearest price it could have.
An unknown price is not a free one: it raises Unpriced.
"""

import msgspec

from conflux.neutral.ledger import Line
from conflux.neutral.money import (
    PICO_PER_NANO,
    PICO_PER_UNIT,
    USD,
    PriceSheet,
    Rate,
    format_scaled,
    line_amount,
    parse_scaled,
    usd,
)
from conflux.neutral.usage import Usage


class Unpriced(Exception):
    """The sheet does not know a price this request needs."""


class Hold(msgspec.Struct, frozen=True):
    """Nano-USD to reserve, and what a started answer costs whose process died before its first checkpoint."""

    amount: int
    input_floor: int


def charge(usage: Usage, sheet: PriceSheet) -> tuple[tuple[Line, ...], int]:
    """The lines of a receipt and their sum. Written out bucket by bucket: it runs on every request."""
    lines: list[Line] = []
    rate = sheet.rate
    if usage.input:
        lines.append(_line("input", usage.input, sheet.input, rate))
    if usage.output:
        lines.append(_line("output", usage.output, sheet.output, rate))
    if usage.reasoning:
        lines.append(_line("reasoning", usage.reasoning, _first(sheet.reasoning, sheet.output), rate))
    if usage.cache_read:
        lines.append(_line("cache_read", usage.cache_read, _first(sheet.cache_read, sheet.input), rate))
    if usage.cache_write_5m:
        price = _first(sheet.cache_write_5m, sheet.input)
        lines.append(_line("cache_write_5m", usage.cache_write_5m, price, rate))
    if usage.cache_write_1h:
        price = _first(sheet.cache_write_1h, _first(sheet.cache_write_5m, sheet.input))
        lines.append(_line("cache_write_1h", usage.cache_write_1h, price, rate))
    if usage.audio:
        lines.append(_line("audio", usage.audio, _first(sheet.audio, sheet.input), rate))
    # Charged only where a price is stated:
    if usage.image and sheet.image:
        lines.append(_line("image", usage.image, sheet.image, rate))
    if usage.search and sheet.search:
        lines.append(_line("search", usage.search, sheet.search, rate))
    if sheet.request:
        lines.append(_line("request", 1, sheet.request, rate))
    total = 0
    for line in lines:
        total += line.amount
    return tuple(lines), total


def _first(price: int | None, otherwise: int | None) -> int | None:
    return otherwise if price is None else price


def _line(bucket: str, quantity: int, price: int | None, rate: Rate) -> Line:
    if price is None:
        raise Unpriced(f"no price for {bucket}")
    amount = -(-quantity * price // PICO_PER_NANO) if rate is USD else line_amount(quantity, price, rate)
    return Line(bucket, quantity, price, amount)


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
    least_input: int = 0,
) -> Hold:
    """The hold: every input token at the dearest input price, every output token at the dearest output price.

    `least_input` are the input tokens to pay for where nobody could count any more.
    """
    return hold(
        ceiling(sheet),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        choices=choices,
        images=images,
        searches=searches,
        least_input=least_input,
    )


class Ceiling(msgspec.Struct, frozen=True):
    """The dearest a sheet can be, found once per sheet: pico-units, `request` nano-USD."""

    sheet: PriceSheet
    input: int
    dearest_input: int
    dearest_output: int
    request: int
    rounding: int  # nano-USD: each line rounds up by less than one, and a receipt has at most ten


def ceiling(sheet: PriceSheet) -> Ceiling:
    if sheet.input is None:
        raise Unpriced("the model has no price")
    return Ceiling(
        sheet=sheet,
        input=sheet.input,
        dearest_input=max(
            sheet.input, sheet.cache_read or 0, sheet.cache_write_5m or 0, sheet.cache_write_1h or 0, sheet.audio or 0
        ),
        dearest_output=max(sheet.output or 0, sheet.reasoning or 0),
        request=line_amount(1, sheet.request, sheet.rate) if sheet.request else 0,
        # What is free fits a budget that is spent.
        rounding=_ROUNDINGS if any(getattr(sheet, name) for name in _PRICES) else 0,
    )


def hold(
    most: Ceiling,
    *,
    input_tokens: int,
    output_tokens: int,
    choices: int = 1,
    images: int = 0,
    searches: bool = False,
    least_input: int = 0,
) -> Hold:
    """As worst_case, for a sheet whose ceiling is known."""
    sheet = most.sheet
    if sheet.output is None and output_tokens:
        raise Unpriced("the model has no price")
    rate, fixed = sheet.rate, most.request
    amount = line_amount(input_tokens, most.dearest_input, rate) + fixed + most.rounding
    amount += line_amount(output_tokens * choices, most.dearest_output, rate)
    if images and sheet.image:
        amount += line_amount(images, sheet.image, rate)
    if searches and sheet.search:
        amount += line_amount(SEARCHES_BOUND, sheet.search, rate)
    return Hold(amount, (line_amount(least_input, most.input, rate) if least_input else 0) + fixed)


_ROUNDINGS = 10


_PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio", "image", "search",
           "request")  # fmt: skip


def with_margin(sheet: PriceSheet, margin: str) -> PriceSheet:
    """A storefront's prices from its costs: every price times an exact decimal, rounded up to the pico once. Its
    version says all that made it: the sheet's own version, since when, the margin, the rate."""
    factor = parse_scaled(margin, 12)
    version = _identity(sheet, "" if factor == PICO_PER_UNIT else format_scaled(factor, 12))
    if version == sheet.version:
        return sheet

    def scaled(price: int | None) -> int | None:
        return None if price is None else -(-price * factor // PICO_PER_UNIT)

    return msgspec.structs.replace(sheet, version=version, **{name: scaled(getattr(sheet, name)) for name in _PRICES})


def _identity(sheet: PriceSheet, margin: str) -> str:
    found = sheet.version
    if sheet.effective_at:
        found += f" since {sheet.effective_at}"
    if margin:
        found += f" x{margin}"
    rate = sheet.rate
    if rate != USD:
        found += f" {rate.currency}={usd(rate.nano_usd)}@{rate.date}"
    return found
