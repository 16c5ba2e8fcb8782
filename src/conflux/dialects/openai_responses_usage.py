"""The usage object of Responses, to and from disjoint buckets.

Law: `input_tokens` includes what was cached, `output_tokens` includes reasoning. A count that cannot be true is absurd,
never repaired. Both detail objects are always there: clients read them.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from conflux.dialects.foreign_json import BROKEN
from conflux.dialects.openai_usage import ABSURD, AbsurdUsage, believed
from conflux.neutral.usage import Usage


class _InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None


class _WireUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


_decode = msgspec.json.Decoder(_WireUsage | None).decode


def read_usage(raw: bytes | Raw) -> Usage | None:
    """The buckets, None where nothing was counted."""
    try:
        found = _decode(raw)
    except BROKEN as error:
        raise AbsurdUsage(str(error)) from None
    if found is None or (found.input_tokens is None and found.output_tokens is None):
        return None
    prompt, completion = found.input_tokens or 0, found.output_tokens or 0
    inside, outside = found.input_tokens_details, found.output_tokens_details
    cached = (inside.cached_tokens or 0) if inside is not None else 0
    written = (inside.cache_write_tokens or 0) if inside is not None else 0
    reasoning = (outside.reasoning_tokens or 0) if outside is not None else 0
    fresh, output = prompt - cached, completion - reasoning
    if min(fresh, cached, output, reasoning) < 0 or max(prompt, completion) > ABSURD:
        raise AbsurdUsage(f"{prompt} input and {completion} output tokens, {cached} cached, {reasoning} reasoning")
    written = believed(written, fresh)
    return Usage(input=fresh - written, cache_read=cached, cache_write_5m=written, output=output, reasoning=reasoning)


def write_usage(usage: Usage, cost: Raw | None = None) -> dict[str, Any]:
    """`cost`: in USD, an exact number."""
    written = usage.cache_write_5m + usage.cache_write_1h
    found: dict[str, Any] = {
        "input_tokens": usage.prompt_total,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.completion_total,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }
    return found if cost is None else {**found, "cost": cost}
