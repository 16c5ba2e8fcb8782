"""Schemas that Gemini refuses are refused, by their place."""

from typing import Any

import pytest

from conflux.sim.ask import BadRequest
from conflux.sim.gemini_schema import check_schema, plain_schema

BAD: list[tuple[Any, str]] = [
    ("x", "a schema is an object"),
    ({"type": "STRING", "$schema": "x"}, '"$schema"'),
    ({"type": "STRING", "const": "x"}, '"const"'),
    ({"type": "INTEGER", "exclusiveMinimum": 0}, '"exclusiveMinimum"'),
    ({"type": "OBJECT", "additionalProperties": False}, '"additionalProperties"'),
    ({"$ref": "#"}, '"$ref"'),
    ({}, "type: must be specified"),
    ({"type": ["STRING", "NULL"]}, "here.type"),
    ({"type": "STRING", "format": "uri"}, "format"),
    ({"type": "INTEGER", "enum": ["1"]}, "enum"),
    ({"type": "ARRAY"}, "items: missing field"),
    ({"type": "OBJECT", "properties": {}}, "should be non-empty"),
    ({"type": "OBJECT", "properties": {"a": {}}}, "here.properties[a].type"),
    ({"type": "OBJECT", "required": ["a"]}, "required"),
    ({"anyOf": [{"type": "WHAT"}]}, "here.any_of[0].type"),
]


@pytest.mark.parametrize(("schema", "words"), BAD)
def test_case_29_what_gemini_refuses(schema: Any, words: str) -> None:
    with pytest.raises(BadRequest) as error:
        check_schema(schema, "here")
    assert words in str(error.value)


GOOD = {
    "type": "object",
    "properties": {
        "a": {"type": "STRING", "enum": ["x"], "format": "enum", "nullable": True},
        "b": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER", "minimum": 1}, {"type": "NULL"}]}},
    },
    "required": ["a"],
    "propertyOrdering": ["b", "a"],
}


def test_what_it_takes_reads_as_json_schema() -> None:
    check_schema(GOOD, "here")
    assert plain_schema(GOOD) == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "enum": ["x"]},
            "b": {"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}},
        },
        "required": ["a"],
    }
