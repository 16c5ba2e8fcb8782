"""What our own count bills: the conversation, and nothing that goes with it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.billing.estimate import IMAGE_TOKENS, conversation_tokens, tokens_of

SAYS: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 400}]}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 40_000}}
BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 40_000}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def test_a_quarter_of_the_bytes_begun_ones_whole() -> None:
    assert [tokens_of(size) for size in (0, 1, 4, 5, 4000)] == [0, 1, 1, 2, 1000]


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"note": "y" * 9000}},
        {"user": "y" * 9000},
        {"model": "y" * 90, "temperature": 1, "stop": ["y" * 90], "logit_bias": {"1": 1}},
        {"safety_identifier": "y" * 9000, "prompt_cache_key": "y" * 9000},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_does_not_reach_the_model_is_not_billed(more: dict[str, Any]) -> None:
    assert conversation_tokens({**SAYS, **more}, 0) == conversation_tokens(SAYS, 0) == 100


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({"messages": [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "é"}]}, 4),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "abcd"}, PICTURE]}]}, 4),
        ({"system": [{"type": "text", "text": "abcd"}], "messages": [{"role": "user", "content": [BLOCK]}]}, 4),
        ({"instructions": "abcd", "input": [{"role": "user", "content": [{"type": "input_text", "text": "abcd"}]}]}, 8),
        ({"contents": [{"role": "user", "parts": [{"text": "ab"}, {"inlineData": {"data": "A" * 999}}]}]}, 2),
        ({"messages": [{"role": "tool", "tool_call_id": "call_1234567890", "content": "abcd"}]}, 4),
        ({"messages": [{"role": "assistant", "content": None,
                        "tool_calls": [{"id": "c" * 40, "function": {"name": "ab", "arguments": "{}"}}]}]}, 4),
        ({"tools": [TOOL]}, len(msgspec.json.encode([TOOL]))),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "r"}}}, 50),
        ({"messages": None, "tools": None}, 0),
    ],
)  # fmt: skip
def test_what_the_model_reads_is_counted(body: dict[str, Any], size: int) -> None:
    assert conversation_tokens(body, 0) == tokens_of(size)


def test_an_image_counts_as_one_whatever_its_bytes() -> None:
    assert conversation_tokens({"messages": [{"role": "user", "content": [PICTURE, PICTURE]}]}, 2) == 2 * IMAGE_TOKENS


@given(st.recursive(st.text() | st.integers() | st.none() | st.booleans(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))  # fmt: skip
def test_it_is_never_more_than_the_whole(value: Any) -> None:
    body = {"messages": value, "tools": value}
    assert conversation_tokens(body, 0) <= tokens_of(len(msgspec.json.encode(body)))
