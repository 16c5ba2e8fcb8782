"""Gemini's counts, to and from buckets."""

import msgspec
import pytest

from conflux.dialects.gemini_usage import WireUsage, read_usage, write_usage
from conflux.dialects.openai_usage import AbsurdUsage
from conflux.neutral.usage import Usage


def read(**counts: object) -> Usage | None:
    return read_usage(msgspec.convert(counts, WireUsage))


def test_case_20_cached_tokens_are_part_of_the_prompt() -> None:
    found = read(promptTokenCount=100, cachedContentTokenCount=75, candidatesTokenCount=5, totalTokenCount=105)
    assert found == Usage(input=25, cache_read=75, output=5)


def test_case_22_thoughts_are_beside_the_answer_and_tools_beside_the_prompt() -> None:
    found = read(promptTokenCount=10, toolUsePromptTokenCount=6, thoughtsTokenCount=8, candidatesTokenCount=5)
    assert found == Usage(input=16, output=5, reasoning=8)


def test_audio_that_was_not_cached_is_audio() -> None:
    found = read(
        promptTokenCount=100, cachedContentTokenCount=30,
        promptTokensDetails=[{"modality": "AUDIO", "tokenCount": 50}, {"modality": "TEXT", "tokenCount": 50}],
        cacheTokensDetails=[{"modality": "AUDIO", "tokenCount": 10}],
    )  # fmt: skip
    assert found == Usage(input=30, cache_read=30, audio=40)


def test_nothing_counted_is_none() -> None:
    assert read() is None
    assert read(thoughtsTokenCount=5) is None


@pytest.mark.parametrize(
    "counts",
    [
        {"promptTokenCount": -1},
        {"promptTokenCount": 5, "cachedContentTokenCount": 6},
        {"candidatesTokenCount": -1},
        {"promptTokenCount": 10**12},
    ],
)
def test_what_cannot_be_true_is_absurd(counts: dict[str, int]) -> None:
    with pytest.raises(AbsurdUsage):
        read(**counts)


@pytest.mark.parametrize(
    "usage", [Usage(), Usage(input=3, output=2), Usage(input=25, cache_read=75, audio=4, output=5, reasoning=8)]
)
def test_what_is_written_is_read_again(usage: Usage) -> None:
    assert read(**write_usage(usage)) == usage
