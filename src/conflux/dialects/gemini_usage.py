"""Gemini's usageMetadata, to and from disjoint buckets.

Law: `promptTokenCount` includes what was cached and what was audio, not what tools brought in; `candidatesTokenCount`
excludes thoughts. A count that cannot be true is absurd, never repaired. A client is shown Gemini's own counts only.
"""

from typing import Any

from msgspec import Struct

from conflux.dialects.openai_usage import ABSURD, AbsurdUsage
from conflux.neutral.usage import Usage


class Modality(Struct, rename="camel", omit_defaults=True):
    modality: str | None = None
    token_count: int | None = None


class WireUsage(Struct, rename="camel", omit_defaults=True):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[Modality] | None = None
    cache_tokens_details: list[Modality] | None = None
    candidates_tokens_details: list[Modality] | None = None
    tool_use_prompt_tokens_details: list[Modality] | None = None


def read_usage(wire: WireUsage) -> Usage | None:
    """The buckets, None where nothing was counted, AbsurdUsage where it cannot be true."""
    if wire.prompt_token_count is None and wire.candidates_token_count is None and wire.total_token_count is None:
        return None
    prompt, cached = wire.prompt_token_count or 0, wire.cached_content_token_count or 0
    audio = max(0, _audio(wire.prompt_tokens_details) - _audio(wire.cache_tokens_details))
    tools, output, thoughts = (
        wire.tool_use_prompt_token_count or 0,
        wire.candidates_token_count or 0,
        wire.thoughts_token_count or 0,
    )
    fresh = prompt - cached - audio
    if min(fresh, cached, audio, tools, output, thoughts) < 0 or prompt + tools > ABSURD or output + thoughts > ABSURD:
        raise AbsurdUsage(f"{prompt} prompt, {cached} cached, {output} answer and {thoughts} thought tokens")
    return Usage(input=fresh + tools, cache_read=cached, audio=audio, output=output, reasoning=thoughts)


def _audio(details: list[Modality] | None) -> int:
    return sum(one.token_count or 0 for one in details or () if one.modality == "AUDIO")


def write_usage(usage: Usage) -> dict[str, Any]:
    found: dict[str, Any] = {"promptTokenCount": usage.prompt_total, "candidatesTokenCount": usage.output,
             "totalTokenCount": usage.total}  # fmt: skip
    if usage.cache_read:
        found["cachedContentTokenCount"] = usage.cache_read
    if usage.audio:
        modalities = {"TEXT": usage.prompt_total - usage.audio, "AUDIO": usage.audio}
        found["promptTokensDetails"] = [{"modality": name, "tokenCount": n} for name, n in modalities.items()]
    if usage.reasoning:
        found["thoughtsTokenCount"] = usage.reasoning
    return found
