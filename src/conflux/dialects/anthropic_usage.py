"""Anthropic's usage object, to and from disjoint buckets.

Law: `input_tokens` is what was neither read from a cache nor written to one; `output_tokens` includes thinking. A
stream counts twice, at its start and at its end, and the later word wins. A count that cannot be true is absurd, never
repaired. What a client is shown is Anthropic's own fields only, and the same counts as are billed.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from conflux.neutral.usage import Usage

ABSURD = 1_000_000_000


class AbsurdUsage(Exception):
    """The upstream counted something that no answer can have."""


class Creation(Struct, omit_defaults=True):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class ServerUse(Struct, omit_defaults=True):
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None


class Details(Struct, omit_defaults=True):
    thinking_tokens: int | None = None


class WireUsage(Struct, omit_defaults=True):
    """Anthropic's own, and nothing that would tell whose machine it was."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: Creation | None = None
    output_tokens: int | None = None
    output_tokens_details: Details | None = None
    server_tool_use: ServerUse | None = None


_decode = msgspec.json.Decoder(WireUsage | None).decode


def read(raw: bytes | Raw) -> WireUsage | None:
    """Raises AbsurdUsage."""
    try:
        found: WireUsage | None = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AbsurdUsage(str(error)) from None
    return found


def merged(before: WireUsage | None, now: WireUsage) -> WireUsage:
    """What is known after both words. Some say 0 at the end for what they counted at the start."""
    if before is None:
        return now
    return WireUsage(**{name: getattr(now, name) or getattr(before, name) for name in WireUsage.__struct_fields__})


def buckets(wire: WireUsage) -> Usage:
    """Raises AbsurdUsage."""
    written = wire.cache_creation_input_tokens or 0
    inside = wire.cache_creation
    hour = (inside.ephemeral_1h_input_tokens or 0) if inside is not None else 0
    short = (inside.ephemeral_5m_input_tokens or 0) if inside is not None else 0
    thought = (wire.output_tokens_details.thinking_tokens or 0) if wire.output_tokens_details is not None else 0
    total = wire.output_tokens or 0
    search = (wire.server_tool_use.web_search_requests or 0) if wire.server_tool_use is not None else 0
    found = Usage(
        input=wire.input_tokens or 0,
        cache_read=wire.cache_read_input_tokens or 0,
        cache_write_5m=max(written - hour, short),
        cache_write_1h=hour,
        output=total - thought,
        reasoning=thought,
        search=search,
    )
    counts = (found.input, found.cache_read, written, short, hour, found.output, thought, search)
    if min(counts) < 0 or max(found.prompt_total, total) > ABSURD:
        raise AbsurdUsage(f"{found.prompt_total} input and {total} output tokens")
    return found


def write(usage: Usage) -> dict[str, Any]:
    found: dict[str, Any] = {
        "input_tokens": usage.input + usage.audio,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.completion_total,
    }
    if usage.cache_write_1h or usage.cache_write_5m:
        found["cache_creation"] = {"ephemeral_5m_input_tokens": usage.cache_write_5m,
                                   "ephemeral_1h_input_tokens": usage.cache_write_1h}  # fmt: skip
    if usage.reasoning:
        found["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.search:
        found["server_tool_use"] = {"web_search_requests": usage.search}
    return found
