"""OpenAI's usage object, to and from disjoint buckets.

Law: `prompt_tokens` includes what was cached and what was audio; `completion_tokens` includes reasoning, except where
the total shows that a provider counts it beside. A count that cannot be true is absurd, never repaired. What a client
is shown is OpenAI's own fields only, and the same counts as are billed.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from conflux.dialects.foreign_json import NULL
from conflux.neutral.usage import Usage

ABSURD = 1_000_000_000


class PromptDetails(Struct, forbid_unknown_fields=True):
    cached_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionDetails(Struct, forbid_unknown_fields=True):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class WireUsage(Struct, forbid_unknown_fields=True):
    """OpenAI's own."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class _AnyPromptDetails(PromptDetails, forbid_unknown_fields=False):
    cache_write_tokens: int | None = None


class _AnyCompletionDetails(CompletionDetails, forbid_unknown_fields=False):
    pass


class _AnyUsage(WireUsage, forbid_unknown_fields=False):
    """What others say in its place."""

    prompt_tokens_details: _AnyPromptDetails | None = None
    completion_tokens_details: _AnyCompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None


_own = msgspec.json.Decoder(WireUsage | None).decode
_any = msgspec.json.Decoder(_AnyUsage | None).decode


class AbsurdUsage(Exception):
    """The upstream counted something that no answer can have."""


def read_usage(raw: bytes | Raw) -> Usage | None:
    """The buckets, None where nothing was counted, AbsurdUsage where it cannot be true."""
    return read_and_pass(raw)[0]


def read_and_pass(raw: bytes | Raw) -> tuple[Usage | None, bytes | Raw]:
    """The buckets, and the object as a client may see it."""
    cached_elsewhere = None
    own = True
    try:
        wire = _own(raw)
    except msgspec.ValidationError:
        own = False
        try:
            wire = loose = _any(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise AbsurdUsage(str(error)) from None
        cached_elsewhere = loose.prompt_cache_hit_tokens if loose is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AbsurdUsage(str(error)) from None
    if wire is None:
        return None, NULL
    asked, answered = wire.prompt_tokens, wire.completion_tokens
    if asked is None or answered is None:
        if asked is answered:
            return None, NULL
    elif (
        own
        and wire.prompt_tokens_details is wire.completion_tokens_details is None
        and 0 <= asked <= ABSURD
        and 0 <= answered <= ABSURD
        and wire.total_tokens == asked + answered
    ):
        return Usage(input=asked, output=answered), raw  # nothing is inside of either
    found, prompt, completion = _buckets(wire, cached_elsewhere)
    said = (wire.prompt_tokens, wire.completion_tokens, wire.total_tokens)
    if own and said == (prompt, completion, prompt + completion):
        return found, raw
    return found, msgspec.json.encode(write_usage(found))


def believed(written: int, fresh: int) -> int:
    """What was written to a cache, of the input that was not read from one. No count that we know: input like any
    other."""
    return written if 0 <= written <= fresh else 0


def _buckets(wire: WireUsage, cached_elsewhere: int | None) -> tuple[Usage, int, int]:
    """The buckets, and the two totals as OpenAI would have said them."""
    prompt, completion = wire.prompt_tokens or 0, wire.completion_tokens or 0
    inside, outside = wire.prompt_tokens_details, wire.completion_tokens_details
    cached, audio, reasoning, written = cached_elsewhere or 0, 0, 0, 0
    if inside is not None:
        cached, audio = inside.cached_tokens or cached, inside.audio_tokens or 0
        if isinstance(inside, _AnyPromptDetails):
            written = inside.cache_write_tokens or 0
    if outside is not None:
        reasoning = outside.reasoning_tokens or 0
    if reasoning > 0 and wire.total_tokens == prompt + completion + reasoning:
        completion += reasoning  # counted beside: the total says so
    fresh, output = prompt - cached - audio, completion - reasoning
    if fresh < 0 or cached < 0 or audio < 0 or output < 0 or reasoning < 0 or prompt > ABSURD or completion > ABSURD:
        raise AbsurdUsage(f"{prompt} prompt and {completion} completion tokens, {cached} cached, {reasoning} reasoning")
    written = believed(written, fresh)
    found = Usage(input=fresh - written, cache_read=cached, cache_write_5m=written, audio=audio, output=output,
                  reasoning=reasoning)  # fmt: skip
    return found, prompt, completion


def write_usage(usage: Usage, cost: Raw | None = None) -> dict[str, Any]:
    """`cost`: in USD, an exact number."""
    found: dict[str, Any] = {
        "prompt_tokens": usage.prompt_total,
        "completion_tokens": usage.completion_total,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": usage.audio},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    return found if cost is None else {**found, "cost": cost}
