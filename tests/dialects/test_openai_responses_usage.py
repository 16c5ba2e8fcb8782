"""Usage both ways; what cannot be true is absurd."""

import json

import msgspec
import pytest
from msgspec import Raw

from conflux.dialects.openai_responses_usage import read_usage, write_usage
from conflux.dialects.openai_usage import AbsurdUsage
from conflux.neutral.usage import Usage


def test_case_20_and_22_buckets_survive_both_ways() -> None:
    usage = Usage(input=20, cache_read=70, cache_write_5m=6, cache_write_1h=4, output=10, reasoning=5)
    wire = write_usage(usage)
    assert wire == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 70, "cache_write_tokens": 10},
        "output_tokens": 15,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 115,
    }
    found = read_usage(json.dumps(wire).encode())
    assert found == Usage(input=20, cache_read=70, cache_write_5m=10, output=10, reasoning=5)


@pytest.mark.parametrize("raw", [b"null", b"{}", b'{"total_tokens":4}'])
def test_nothing_counted_is_no_usage(raw: bytes) -> None:
    assert read_usage(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"input_tokens":-1}',
        b'{"input_tokens":1,"input_tokens_details":{"cached_tokens":2}}',
        b'{"output_tokens":1,"output_tokens_details":{"reasoning_tokens":2}}',
        b'{"output_tokens":1000000001}',
        b'{"input_tokens":"many"}',
        b"[",
    ],
)
def test_what_cannot_be_true_is_absurd(raw: bytes) -> None:
    with pytest.raises(AbsurdUsage):
        read_usage(raw)


def test_a_cost_is_written_with_its_own_digits():
    assert msgspec.json.encode(write_usage(Usage(), Raw(b"0.0000609"))).endswith(b',"cost":0.0000609}')
    assert "cost" not in write_usage(Usage())
