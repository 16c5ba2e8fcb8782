"""OpenAI's usage object, to and from disjoint buckets.

Law: `prompt_tokens` includes what was cached and what was audio; `completion_tokens` includes reasoning, except where
the total shows that a provider counts it beside. A count that cannot be true is absurd, never repaired.
"""

from typing import Any

import msgspec
from msgspec import Struct

from conflux.neutral.usage import Usage

ABSURD = 1_000_000_000


class PromptDetails(Struct):
    cached_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class WireUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None


_decoder = msgspec.json.Decoder(WireUsage | None)


class AbsurdUsage(Exception):
    """The upstream counted something that no answer can have."""


def read_usage(raw: bytes | msgspec.Raw) -> Usage | None:
    """The buckets, None where nothing was counted, AbsurdUsage where it cannot be true."""
    try:
        wire = _decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise AbsurdUsage(str(error)) from None
    if wire is None or (wire.prompt_tokens is None and wire.completion_tokens is None):
        return None
    prompt, completion = wire.prompt_tokens or 0, wire.completion_tokens or 0
    inside, beside = wire.prompt_tokens_details, wire.completion_tokens_details
    cached = (inside.cached_tokens if inside is not None else None) or wire.prompt_cache_hit_tokens or 0
    audio = (inside.audio_tokens if inside is not None else None) or 0
    reasoning = (beside.reasoning_tokens if beside is not None else None) or 0
    if reasoning and wire.total_tokens == prompt + completion + reasoning:
        completion += reasoning  # counted beside: the total says so
    found = Usage(
        input=prompt - cached - audio,
        cache_read=cached,
        audio=audio,
        output=completion - reasoning,
        reasoning=reasoning,
    )
    if min(found.input, cached, audio, found.output, reasoning) < 0 or max(prompt, completion) > ABSURD:
        raise AbsurdUsage(f"{prompt} prompt and {completion} completion tokens, {cached} cached")
    return found


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_total,
        "completion_tokens": usage.completion_total,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": usage.audio},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
