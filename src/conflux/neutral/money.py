"""Exact money.

Law: money is an integer. Prices are pico-units of a currency per token (or per item), amounts are
nano-USD, credits are micro-credits. A product is rounded up once, per receipt line, and never again.
No float enters or leaves this file; a decimal that does not fit the unit is refused, not rounded.
"""

import re
from functools import lru_cache

import msgspec

NANO_PER_USD = 10**9
PICO_PER_UNIT = 10**12
PICO_PER_NANO = 1000
MICRO_PER_CREDIT = 10**6
PER_ITEM = ("image", "search", "request")  # prices of one each; all others are of tokens
RATE_SCALE = 10**9

_DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,18}))?", re.ASCII)


class MoneyError(ValueError):
    """A figure that is not an exact amount of the unit asked for."""


def parse_scaled(text: object, digits: int, *, allow_negative: bool = False) -> int:
    """Read a plain decimal string as an integer of 10**-digits units, exactly.

    >>> parse_scaled("0.435", 6)
    435000
    """
    if not isinstance(text, str):
        raise MoneyError(f'write a price as a string such as "0.435", not as {text!r}: floats are not exact')
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise MoneyError(f"{text!r} is not a plain decimal number")
    sign, whole, fraction = found.group(1), found.group(2), (found.group(3) or "").rstrip("0")
    if sign and not allow_negative:
        raise MoneyError(f"{text!r} is negative")
    if len(fraction) > digits:
        raise MoneyError(f"{text!r} is finer than this ledger can hold exactly")
    value: int = int(whole) * 10**digits + int((fraction or "0").ljust(digits, "0") or "0")
    return -value if sign else value


def format_scaled(value: int, digits: int) -> str:
    """The shortest exact decimal of an integer of 10**-digits units.

    >>> format_scaled(60900, 9)
    '0.0000609'
    """
    if value < 0:
        return "-" + format_scaled(-value, digits)
    one = 10**digits
    whole, rest = divmod(value, one) if value >= one else (0, value)
    # A one before the digits keeps the zeros they begin with.
    return f"{whole}.{str(one + rest)[1:].rstrip('0')}" if rest else str(whole)


def pico_from_per_million(text: object) -> int:
    """A price per 1,000,000 tokens, as pico-units per token: "0.435" -> 435000."""
    return parse_scaled(text, 6)


def pico_from_per_item(text: object) -> int:
    """A price per token or per item (image, search, request), as pico-units: "0.003613" -> 3613000000."""
    return parse_scaled(text, 12)


def per_million(pico: int) -> str:
    return format_scaled(pico, 6)


def as_listed(bucket: str, pico: int) -> str:
    """A price as catalogue files have it: tokens per million, items each."""
    return format_scaled(pico, 12 if bucket in PER_ITEM else 6)


def per_token(pico: int) -> str:
    return format_scaled(pico, 12)


@lru_cache(1024)  # an answer says the same amount in its body and in its head
def usd(nano: int) -> str:
    return format_scaled(nano, 9)


def nano_from_usd(text: object) -> int:
    return parse_scaled(text, 9)


def credits_text(micro: int) -> str:
    return format_scaled(micro, 6)


def ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


class Rate(msgspec.Struct, frozen=True):
    """What one unit of a currency is worth in nano-USD, and on which day that was stated."""

    currency: str
    nano_usd: int
    date: str


USD = Rate(currency="USD", nano_usd=NANO_PER_USD, date="")


def line_amount(quantity: int, pico: int, rate: Rate = USD) -> int:
    """Nano-USD for a quantity at a price, rounded up once."""
    if rate.nano_usd == NANO_PER_USD:
        return -(-quantity * pico // PICO_PER_NANO)
    return ceil_div(quantity * pico * rate.nano_usd, PICO_PER_UNIT)


class PriceSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model's prices. None means not known; 0 is a statement that it is free.

    `input` and `output` unknown make a model unbillable (it fails closed). The other buckets fall back:
    cache reads and writes to `input`, reasoning to `output`, audio to `input`; image, search and request are
    charged only where a price is stated. A version is never changed: other prices are another version.
    """

    version: str = "1"
    effective_at: str = ""  # the day it came into force; "" where nobody said
    rate: Rate = USD
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio: int | None = None
    image: int | None = None
    search: int | None = None
    request: int | None = None

    @property
    def known(self) -> bool:
        return self.input is not None and self.output is not None

    @property
    def free(self) -> bool:
        return self.known and not any(
            (self.input, self.output, self.cache_read, self.cache_write_5m, self.cache_write_1h,
             self.reasoning, self.audio, self.image, self.search, self.request)
        )  # fmt: skip
