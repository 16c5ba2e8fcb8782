"""Schemas both ways: what Gemini can say, what is said another way, what is relaxed and named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.gemini_schema import clean, to_json_schema
from conflux.neutral.errors import GatewayError
from conflux.sim.gemini_schema import check_schema

S = {"type": "STRING"}

CASES: list[tuple[Any, Any, set[str]]] = [
    ({"type": "string", "$schema": "x", "$id": "y", "examples": ["a"]}, S, set()),
    ({"type": "object"}, {"type": "OBJECT"}, set()),
    ({"type": "object", "properties": {}}, {"type": "OBJECT"}, set()),
    ({"type": "object", "additionalProperties": False}, {"type": "OBJECT"}, {"additionalProperties"}),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
     {"type": "OBJECT", "properties": {"a": S}, "required": ["a"]}, set()),
    ({"const": "x"}, {"type": "STRING", "enum": ["x"]}, set()),
    ({"type": "integer", "const": 3}, {"type": "INTEGER", "minimum": 3, "maximum": 3}, set()),
    ({"type": "integer", "enum": [1, 2]}, {"type": "INTEGER", "description": "One of: 1, 2"}, {"enum"}),
    ({"type": "boolean", "const": True}, {"type": "BOOLEAN", "description": "One of: True"}, {"const"}),
    ({"type": ["string", "null"], "enum": ["a", None]}, {"type": "STRING", "nullable": True, "enum": ["a"]}, set()),
    ({"type": ["string", "integer"]}, {"anyOf": [S, {"type": "INTEGER"}]}, set()),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "INTEGER", "minimum": 1}, set()),
    ({"type": "integer", "exclusiveMaximum": 9, "maximum": 20}, {"type": "INTEGER", "maximum": 8}, set()),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "NUMBER", "minimum": 0}, {"exclusiveMinimum"}),
    ({"type": "number", "exclusiveMinimum": True, "minimum": 1}, {"type": "NUMBER", "minimum": 1},
     {"exclusiveMinimum"}),
    ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}, set()),
    ({"type": "string", "format": "uri"}, S, {"format"}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "T"},
     {"title": "T", "nullable": True, "type": "STRING"}, set()),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [S, {"type": "INTEGER"}]}, {"oneOf"}),
    ({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "string"}}, "required": ["b"]}]},
     {"type": "OBJECT", "properties": {"a": S, "b": S}, "required": ["a", "b"]}, set()),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, {"type": "ARRAY", "items": S},
     {"uniqueItems"}),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
     {"type": "ARRAY", "items": {"anyOf": [S, {"type": "INTEGER"}]}, "minItems": 2}, {"prefixItems"}),
    ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}, S, set()),
    ({"properties": {"a": {"$ref": "#/definitions/a~1b", "description": "d"}},
      "definitions": {"a/b": {"type": "string"}}},
     {"type": "OBJECT", "properties": {"a": {"description": "d", "type": "STRING"}}}, set()),
    ({"$ref": "https://elsewhere"}, {"type": "OBJECT"}, {"$ref"}),
    ({"type": "object", "properties": {"me": {"$ref": "#"}}},
     {"type": "OBJECT", "properties": {"me": {"type": "OBJECT", "properties": {"me": {"type": "OBJECT"}}}}}, {"$ref"}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "wanted", "lost"), CASES)
def test_case_29_a_schema_is_cleaned(schema: dict[str, Any], wanted: dict[str, Any], lost: set[str]) -> None:
    named: set[str] = set()
    found = clean(schema, named)
    assert (found, named) == (wanted, lost)
    check_schema(found, "here")


def test_references_that_double_at_every_step_are_refused() -> None:
    defs = {
        f"d{n}": {"type": "object", "properties": {name: {"$ref": f"#/$defs/d{n + 1}"} for name in "ab"}}
        for n in range(40)
    }
    assert clean({"allOf": [{"$ref": "#"}], "type": "string"}, set()) == {"type": "STRING"}
    with pytest.raises(GatewayError, match="too large"):
        clean({"$ref": "#/$defs/d0", "$defs": defs}, set())


WORDS = st.sampled_from(
    ["type", "properties", "items", "enum", "const", "anyOf", "allOf", "$ref", "required", "format", "prefixItems",
     "exclusiveMinimum", "string", "object", "array", "integer", "null", "#", "#/a", "a", "default"]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, ODD, max_size=5))
def test_no_schema_breaks_it(schema: dict[str, Any]) -> None:
    try:
        clean(schema, set())
    except GatewayError:
        return
    to_json_schema(schema)


def test_geminis_own_becomes_json_schema() -> None:
    own = {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "nullable": True, "enum": ["x"], "format": "enum"},
            "b": {"type": "ARRAY", "items": {"type": "INTEGER"}, "min_items": "2"},
            "c": {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": True, "example": 1},
        },
        "property_ordering": ["c", "b", "a"],
        "required": ["a"],
    }
    found = to_json_schema(own)
    assert list(found["properties"]) == ["c", "b", "a"]
    assert found == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "c": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}], "examples": [1]},
        },
        "required": ["a"],
    }
    assert to_json_schema({"type": "TYPE_UNSPECIFIED"}) == {}
