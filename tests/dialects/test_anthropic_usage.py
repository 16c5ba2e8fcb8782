"""Anthropic's arithmetic, both ways."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.anthropic_usage import AbsurdUsage, buckets, merged, read, write
from conflux.dialects.openai_usage import read_usage as read_openai
from conflux.dialects.openai_usage import write_usage as write_openai
from conflux.neutral.usage import Usage


def of(**fields: object) -> Usage:
    wire = read(json.dumps(fields).encode())
    assert wire is not None
    return buckets(wire)


def test_case_20_cached_tokens_are_beside_the_others_here_and_among_them_there() -> None:
    found = of(input_tokens=25, cache_read_input_tokens=75, output_tokens=4)
    assert found == Usage(input=25, cache_read=75, output=4)
    assert write_openai(found)["prompt_tokens"] == 100
    back = read_openai(json.dumps(write_openai(found)).encode())
    assert back is not None and write(back)["input_tokens"] == 25 and write(back)["cache_read_input_tokens"] == 75


def test_case_22_every_bucket() -> None:
    creation = {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}
    found = of(input_tokens=9, cache_creation_input_tokens=3, cache_creation=creation, output_tokens=8,
               output_tokens_details={"thinking_tokens": 5}, server_tool_use={"web_search_requests": 2})  # fmt: skip
    assert found == Usage(input=9, cache_write_5m=1, cache_write_1h=2, output=3, reasoning=5, search=2)
    assert of(cache_creation_input_tokens=3) == Usage(cache_write_5m=3)


COUNT = st.integers(min_value=0, max_value=10**6)


@given(COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_written_and_read_is_the_same(
    one: int, two: int, three: int, four: int, five: int, six: int, search: int
) -> None:
    usage = Usage(input=one, cache_read=two, cache_write_5m=three, cache_write_1h=four, output=five, reasoning=six,
                  search=search)  # fmt: skip
    assert of(**write(usage)) == usage


def test_the_later_word_wins_where_it_says_something() -> None:
    start, end = read(b'{"input_tokens":5,"output_tokens":1}'), read(b'{"input_tokens":0,"output_tokens":9}')
    assert start is not None and end is not None
    assert buckets(merged(start, end)) == Usage(input=5, output=9)
    assert merged(None, end) is end
    assert read(b"null") is None


@pytest.mark.parametrize(
    "raw",
    [b'{"input_tokens":-1}', b'{"input_tokens":"many"}', b'{"output_tokens":10000000000}', b"[",
     b'{"input_tokens":1e99}', b'{"output_tokens":1,"output_tokens_details":{"thinking_tokens":2}}'],
)  # fmt: skip
def test_what_cannot_be_true_is_absurd(raw: bytes) -> None:
    with pytest.raises(AbsurdUsage):
        found = read(raw)
        assert found is not None
        buckets(found)
