"""The subset of JSON Schema that Anthropic takes."""

from typing import Any

import pytest

from conflux.dialects.anthropic_schema import beyond, closed


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, None),
        ({"type": "array", "items": {"enum": [1, 2]}, "minItems": 1}, None),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}], "$defs": {"a": {"const": 1}}}, None),
        ({"properties": {"minimum": {"type": "string", "format": "date"}}}, None),
        (True, None),
        ({"properties": {"a": {"type": "integer", "minimum": 1}}}, "properties.a.minimum"),
        ({"items": {"maxLength": 3}}, "items.maxLength"),
        ({"anyOf": [{}, {"multipleOf": 2}]}, "anyOf[1].multipleOf"),
        ({"$defs": {"x": {"oneOf": []}}}, "$defs.x.oneOf"),
        ({"type": "array", "minItems": 2}, "minItems"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"$ref": "https://elsewhere/"}, "$ref"),
    ],
)
def test_case_30_the_first_keyword_that_is_beyond_it(schema: Any, place: str | None) -> None:
    assert beyond(schema) == place


def test_every_object_is_closed() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}, "b": True},
              "anyOf": [{"properties": {}}], "description": "d"}  # fmt: skip
    assert closed(schema) == {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "object", "additionalProperties": False}}, "b": True},
        "anyOf": [{"properties": {}, "additionalProperties": False}],
        "description": "d",
        "additionalProperties": False,
    }
    assert "additionalProperties" not in schema
