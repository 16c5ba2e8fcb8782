"""The completions wire: what is checked, and how it is said."""

from typing import Any

import pytest

from conflux.dialects import openai_completions_wire as wire
from conflux.neutral.errors import GatewayError


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt"),
        ({"prompt": [[]]}, "prompt"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"prompt": [{"type": "text"}]}, "prompt[0]"),
        ({"prompt": ["a"] * 65, "n": 2}, "prompt"),
        ({"prompt": "a", "n": 0}, "n"),
        ({"prompt": "a", "best_of": 2, "n": 3}, "best_of"),
        ({"prompt": "a", "best_of": 2, "stream": True}, "best_of"),
        ({"prompt": "a", "logprobs": True}, "logprobs"),
        ({"prompt": "a", "logprobs": 21}, "logprobs"),
        ({"prompt": "a", "max_tokens": -1}, "max_tokens"),
        ({"prompt": "a", "temperature": 3}, "temperature"),
        *(({"prompt": "a", name: [1]}, name) for name in wire.CHAT_ONLY),
    ],
)
def test_a_mistake_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as error:
        wire.check(body)
    assert error.value.param == param
    assert param in error.value.message


def test_what_is_null_was_not_asked_for() -> None:
    assert wire.check({"prompt": "a", "tools": None, "n": None}).prompt == "a"


@pytest.mark.parametrize(
    ("prompt", "found"),
    [("a", ["a"]), (["a", "b"], ["a", "b"]), ([1, 2], [[1, 2]]), ([[1], [2, 3]], [[1], [2, 3]])],
)
def test_each_prompt_stands_by_itself(prompt: Any, found: Any) -> None:
    body = wire.check({"prompt": prompt, "n": 2, "best_of": 3})
    assert wire.prompts(body) == found
    assert wire.answers(body) == 3 * len(found)
