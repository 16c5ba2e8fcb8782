"""Buckets that never overlap."""

from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.usage import BUCKETS, NOTHING, Usage

USAGES = st.builds(Usage, **dict.fromkeys(BUCKETS, st.integers(0, 10**9)))


@given(USAGES, USAGES)
def test_sums_are_by_bucket(one: Usage, other: Usage) -> None:
    both = one.plus(other)
    for name in BUCKETS:
        assert getattr(both, name) == getattr(one, name) + getattr(other, name)
    assert both.total == one.total + other.total
    assert both == other.plus(one)
    assert one.plus(NOTHING) == one


@given(USAGES)
def test_every_token_is_in_one_total(usage: Usage) -> None:
    counted = sum(getattr(usage, name) for name in BUCKETS if name not in ("image", "search"))
    assert usage.prompt_total + usage.completion_total == usage.total == counted


def test_reasoning_is_beside_output() -> None:
    assert Usage(output=3, reasoning=4).completion_total == 7
    assert Usage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, audio=5).prompt_total == 15
