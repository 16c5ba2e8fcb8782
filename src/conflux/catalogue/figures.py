"""Figures as people read them: 262.1K, 1.0M, 1M tokens; $0.435, $0.870, $1.05 per million.

Law: only for showing. A token figure has one decimal unless it is whole; a price is exact, with at least three
decimals below a dollar and two above; what is not known is a dash.
"""

from conflux.neutral.money import per_million
from conflux.neutral.records import Capability, Model


def tokens(value: int | None) -> str:
    """
    >>> tokens(262144), tokens(1048576), tokens(1000000), tokens(None)
    ('262.1K', '1.0M', '1M', '-')
    """
    if value is None:
        return "-"
    for unit, letter in ((1_000_000, "M"), (1_000, "K")):
        # 999,950 and more would read 1000.0K: that is the next unit's 1.0M
        if value >= unit or (value / unit >= 0.99995 and unit > 1_000):
            whole, rest = divmod(value, unit)
            return f"{value / unit:.1f}{letter}" if rest else f"{whole}{letter}"
    return str(value)


def price(pico: int | None, symbol: str = "$") -> str:
    """A price per 1,000,000 tokens.

    >>> price(870000), price(1050000), price(744800), price(0), price(None)
    ('$0.870', '$1.05', '$0.7448', '$0', '-')
    """
    if pico is None:
        return "-"
    text = per_million(pico)
    if text == "0":
        return f"{symbol}0"
    whole, _, fraction = text.partition(".")
    return f"{symbol}{whole}.{fraction.ljust(3 if whole == '0' else 2, '0')}"


TAGS = {
    Capability.TEXT: "Text",
    Capability.TOOLS: "Tools",
    Capability.VISION: "Vision",
    Capability.FILES: "Files",
    Capability.AUDIO: "Audio",
    Capability.WEB_SEARCH: "Web search",
    Capability.COMPLETIONS: "Completions",
    Capability.JSON_MODE: "JSON mode",
    Capability.STRUCTURED_OUTPUTS: "Structured outputs",
    Capability.REASONING: "Reasoning",
    Capability.LOGPROBS: "Logprobs",
    Capability.IMAGE_OUTPUT: "Image output",
}
COMPAT_TAG = "Conflux compat"


def tags(model: Model) -> list[str]:
    """What a model can do, as the catalogue's readers see it, in one order."""
    found = [text for one, text in TAGS.items() if one in model.capabilities]
    return [*found, COMPAT_TAG] if model.lane == "compat" else found
