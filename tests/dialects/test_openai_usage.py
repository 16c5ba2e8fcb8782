"""Usage: exact buckets, nothing repaired, nothing of the upstream's own shown."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from conflux.dialects.openai_usage import ABSURD, AbsurdUsage, read_and_pass, read_usage, write_usage
from conflux.neutral.usage import Usage


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def counted(prompt: Any, completion: Any, total: Any = None, **more: Any) -> bytes:
    return raw({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **more})


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (counted(100, 5), Usage(input=100, output=5)),
        (counted(100, 5, prompt_tokens_details={"cached_tokens": 75}), Usage(input=25, cache_read=75, output=5)),
        (counted(100, 5, prompt_tokens_details={"cached_tokens": 100}), Usage(cache_read=100, output=5)),
        (counted(100, 5, prompt_tokens_details={"audio_tokens": 10}), Usage(input=90, audio=10, output=5)),
        (counted(100, 5, prompt_tokens_details=None, completion_tokens_details=None), Usage(input=100, output=5)),
        (
            counted(100, 5, prompt_tokens_details={"cached_tokens": 30, "cache_write_tokens": 50}),
            Usage(input=20, cache_read=30, cache_write_5m=50, output=5),
        ),
        (
            counted(100, 5, prompt_tokens_details={"cached_tokens": 30, "cache_write_tokens": 71}),
            Usage(input=70, cache_read=30, output=5),
        ),
        (counted(100, 5, prompt_cache_hit_tokens=75), Usage(input=25, cache_read=75, output=5)),
        (
            counted(100, 5, prompt_cache_hit_tokens=75, prompt_tokens_details={"cached_tokens": 75}),
            Usage(input=25, cache_read=75, output=5),
        ),
        (
            counted(9, 30, 39, completion_tokens_details={"reasoning_tokens": 20}),
            Usage(input=9, output=10, reasoning=20),
        ),
        (
            counted(9, 10, 39, completion_tokens_details={"reasoning_tokens": 20}),
            Usage(input=9, output=10, reasoning=20),
        ),
        (counted(9, 30, completion_tokens_details={"reasoning_tokens": 30}), Usage(input=9, reasoning=30)),
        (counted(0, 0), Usage()),
        (counted(9, None), Usage(input=9)),
        (counted(ABSURD, ABSURD), Usage(input=ABSURD, output=ABSURD)),
        (raw({}), None),
        (raw(None), None),
        (raw({"total_tokens": 9}), None),
    ],
)
def test_case_20_and_22_buckets(said: bytes, found: Usage | None) -> None:
    assert read_usage(said) == found


@pytest.mark.parametrize(
    "said",
    [
        counted(-1, 5),
        counted(5, -1),
        counted(ABSURD + 1, 5),
        counted(5, ABSURD + 1),
        counted(10**30, 5),
        counted("5", 5),
        counted(5.5, 5),
        counted(True, 5),
        counted(5, 5, prompt_tokens_details={"cached_tokens": 6}),
        counted(5, 5, prompt_tokens_details={"cached_tokens": -1}),
        counted(5, 5, prompt_tokens_details={"cached_tokens": 3, "audio_tokens": 3}),
        counted(5, 5, completion_tokens_details={"reasoning_tokens": 6}),
        counted(5, 5, completion_tokens_details={"reasoning_tokens": -1}),
        counted(5, 5, prompt_tokens_details=[1]),
        raw([]),
        raw(5),
        b"",
        b"{",
        b'{"prompt_tokens":"\xff"}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_case_21_an_absurd_count_is_never_repaired(said: bytes) -> None:
    with pytest.raises(AbsurdUsage):
        read_usage(said)


COUNTS = st.integers(0, 10**8)
USAGES = st.builds(Usage, input=COUNTS, cache_read=COUNTS, audio=COUNTS, output=COUNTS, reasoning=COUNTS)


@given(USAGES)
def test_written_and_read_it_is_the_same(usage: Usage) -> None:
    written = raw(write_usage(usage))
    found, passed = read_and_pass(written)
    assert found == usage
    assert passed is written
    body = json.loads(written)
    assert body["total_tokens"] == body["prompt_tokens"] + body["completion_tokens"] == usage.total


@given(USAGES, st.integers(1, 99), st.integers(1, 99))
def test_what_was_written_to_a_cache_counts_as_prompt(usage: Usage, short: int, long: int) -> None:
    more = Usage(cache_write_5m=short, cache_write_1h=long)
    assert write_usage(usage.plus(more))["prompt_tokens"] == usage.prompt_total + short + long


@given(USAGES)
def test_what_a_client_sees_is_what_is_billed(usage: Usage) -> None:
    """Whatever of the upstream's own is beside it, and however it counts."""
    said = write_usage(usage) | {"cost": 0.1, "num_sources_used": 0}
    found, passed = read_and_pass(raw(said))
    assert found == usage
    assert json.loads(bytes(passed)) == write_usage(usage)
    beside = write_usage(usage) | {"completion_tokens": usage.output}
    found, passed = read_and_pass(raw(beside))
    assert found == usage
    assert json.loads(bytes(passed)) == write_usage(usage)


@pytest.mark.parametrize(
    "extra",
    [
        {"cost": 1},
        {"prompt_tokens_details": {"cached_tokens": 0, "text_tokens": 5}},
        {"completion_tokens_details": {"x": 1}},
    ],
    ids=str,
)
def test_foreign_fields_are_not_shown(extra: dict[str, Any]) -> None:
    found, passed = read_and_pass(counted(5, 5, 10, **extra))
    assert found == Usage(input=5, output=5)
    assert json.loads(bytes(passed)) == write_usage(found)


def test_a_total_that_is_missing_or_wrong_is_not_shown() -> None:
    for said in (counted(5, 7), counted(5, 7, 99), counted(5, None, 12), counted(None, 7, 12)):
        found, passed = read_and_pass(said)
        assert found is not None
        assert json.loads(bytes(passed)) == write_usage(found)


def test_a_cost_is_written_with_its_own_digits():
    assert msgspec.json.encode(write_usage(Usage(), Raw(b"0.0000609"))).endswith(b',"cost":0.0000609}')
    assert "cost" not in write_usage(Usage())
