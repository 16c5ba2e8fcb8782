"""One spelling of each name."""

from typing import Any

import pytest

from conflux.dialects.gemini_names import MESSAGES, tidy
from conflux.neutral.errors import GatewayError


def test_both_spellings_become_one() -> None:
    body: dict[str, Any] = {
        "system_instruction": {"parts": {"text": "s"}},
        "contents": {"parts": [{"inline_data": {"mime_type": "a", "data": "b"}}, {"function_call": {"name": "f"}}]},
        "generation_config": {"thinking_config": {"thinking_budget": 1}, "_responseJsonSchema": {"a_b": 1}},
        "tools": {"function_declarations": {"name": "f", "parameters": {"snake_case": 1}}},
    }
    assert tidy(body) == []
    assert body == {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [{"parts": [{"inlineData": {"mimeType": "a", "data": "b"}}, {"functionCall": {"name": "f"}}]}],
        "generationConfig": {"thinkingConfig": {"thinkingBudget": 1}, "_responseJsonSchema": {"a_b": 1}},
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"snake_case": 1}}]}],
    }


def test_both_at_once_are_refused() -> None:
    with pytest.raises(GatewayError, match="toolConfig is there too"):
        tidy({"toolConfig": {}, "tool_config": {}})


def test_unknown_names_are_told_by_their_path() -> None:
    body = {"contents": [{"parts": [{"text": "a", "novel_one": 1}]}], "other": 2, "labels": {"any_thing": "x"}}
    assert tidy(body) == ["contents[0].parts[0].novel_one", "other"]


@pytest.mark.parametrize("value", [None, 5, "x", [], [None, 5, [{}]]])
def test_what_is_no_message_is_left_to_the_check(value: Any) -> None:
    for name in MESSAGES["body"]:
        assert tidy({name: value}) == []


def test_every_message_that_is_held_exists() -> None:
    held = {kind.lstrip("*") for fields in MESSAGES.values() for kind in fields.values() if kind}
    assert held <= MESSAGES.keys()
