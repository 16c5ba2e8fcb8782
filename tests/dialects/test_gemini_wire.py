"""Bad input: every mistake is a 400 that names the field and reads well."""

from typing import Any

import pytest

from conflux.dialects.gemini_names import MESSAGES
from conflux.dialects.gemini_wire import (
    Body,
    Content,
    Declaration,
    FunctionCall,
    FunctionResponse,
    GenerationConfig,
    Part,
    Thinking,
    check,
)
from conflux.neutral.errors import GatewayError

HI = {"role": "user", "parts": [{"text": "Hi"}]}

BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "contents is missing"),
    ({"contents": []}, "contents: must hold at least one item"),
    ({"contents": [{"role": "wizard", "parts": [{"text": "a"}]}]}, "contents[0].role: unknown role 'wizard'"),
    ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text: must be a string or null, not 5"),
    ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]: the part is empty"),
    ({"contents": [{"parts": [{"hologram": {}}]}]}, "contents[0].parts[0]: unknown part type 'hologram'"),
    ({"contents": [{"parts": [{"functionCall": {"name": ""}}]}]}, "functionCall.name: must not be empty"),
    ({"contents": [{"parts": [{"inlineData": {"data": "A"}}]}]}, "inlineData.mimeType is missing"),
    ({"contents": [HI], "systemInstruction": {"parts": [{"x": 1}]}}, "systemInstruction.parts[0]: unknown part type"),
    ({"contents": [HI], "generationConfig": {"temperature": 3}}, "generationConfig.temperature: must be at most 2"),
    ({"contents": [HI], "generationConfig": {"maxOutputTokens": 0}}, "maxOutputTokens: must be at least 1, not 0"),
    ({"contents": [HI], "generationConfig": {"candidateCount": 0}}, "candidateCount: must be at least 1, not 0"),
    ({"contents": [HI], "tools": [{"functionDeclarations": [{}]}]}, "functionDeclarations[0].name is missing"),
    ({"contents": [HI], "labels": {"a": 1}}, "labels"),
]


@pytest.mark.parametrize(("body", "words"), BAD)
def test_case_43_a_mistake_is_named(body: dict[str, Any], words: str) -> None:
    with pytest.raises(GatewayError) as error:
        check(body)
    assert words in error.value.message
    assert error.value.param


@pytest.mark.parametrize(
    ("kind", "struct"),
    [
        ("body", Body), ("content", Content), ("part", Part), ("call", FunctionCall), ("response", FunctionResponse),
        ("declaration", Declaration), ("generationConfig", GenerationConfig), ("thinking", Thinking),
    ],
)  # fmt: skip
def test_what_is_checked_is_known_by_name(kind: str, struct: Any) -> None:
    assert set(struct.__struct_encode_fields__) <= MESSAGES[kind].keys()
