"""Values made from a schema satisfy it, whatever the seed, and making them always ends."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflux.sim.schema import example
from tests.sim.validator import faults

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    "required": ["value", "children"],
    "additionalProperties": False,
}
TREE = {
    "type": "object",
    "properties": {
        "left": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "right": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["left", "right"],
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "types": {
        "type": "object",
        "properties": {name: {"type": name} for name in ("string", "integer", "number", "boolean", "null", "array")},
        "required": ["string", "integer", "number", "boolean", "null", "array"],
        "additionalProperties": False,
    },
    "some required": {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["b"]},
    "required, not described": {"type": "object", "required": ["x", "y"], "additionalProperties": {"type": "integer"}},
    "table": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}},
    "filled table": {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 3},
    "enum": {"enum": ["red", 3, None]},
    "const": {"properties": {"kind": {"const": "circle"}}, "required": ["kind"], "type": "object"},
    "array bounds": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 4},
    "empty array": {"type": "array", "items": False, "maxItems": 0},
    "set": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 2},
    "only a maximum": {"type": "integer", "maximum": -7},
    "only a maximum, real": {"type": "number", "maximum": -7.5},
    "only a minimum": {"type": "number", "exclusiveMinimum": 1000},
    "between": {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
    "narrow": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    "multiple": {"type": "integer", "minimum": 11, "maximum": 27, "multipleOf": 5},
    "multiple of a tenth": {"type": "number", "minimum": 0.25, "maximum": 0.35, "multipleOf": 0.1},
    "whole multiple of a half": {"type": "integer", "multipleOf": 1.5},
    "length": {"type": "string", "minLength": 30, "maxLength": 31},
    "short": {"type": "string", "maxLength": 2},
    "nullable": {"type": ["null", "integer"], "minimum": 4, "maximum": 4},
    "any of": {"anyOf": [{"type": "integer", "minimum": 9}, {"type": "null"}]},
    "one of, with more beside": {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "required": ["id"],
        "oneOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"required": ["b"]}],
    },
    "all of": {
        "allOf": [{"$ref": "#/$defs/named"}, {"properties": {"age": {"type": "integer"}}, "required": ["age"]}],
        "$defs": {"named": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
    },
    "reference with more beside": {
        "$ref": "#/$defs/few", "maximum": 3, "$defs": {"few": {"type": "integer", "minimum": 2, "maximum": 9}},
    },
    "recursive": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    "recursive by alternatives": TREE,
    "recursive, root": {"type": "object", "properties": {"more": {"type": "array", "items": {"$ref": "#"}}}},
    "anything": {},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("seed", range(5))
def test_the_value_satisfies_the_schema(name: str, seed: int) -> None:
    schema = SCHEMAS[name]
    assert faults(example(schema, seed), schema) == []


def test_what_is_described_is_there_unless_it_need_not_be() -> None:
    properties = {"a": {"type": "string"}, "b": {"type": "object", "properties": {"c": {"const": 1}}}}
    full = example({"type": "object", "properties": properties}, 1)
    assert set(full) == {"a", "b"} and full["b"] == {"c": 1}
    assert set(example({"type": "object", "properties": properties, "required": ["a"]}, 1)) == {"a"}


def test_the_same_seed_makes_the_same_value_and_another_another() -> None:
    schema = {"type": "integer", "minimum": 0, "maximum": 10**12}
    assert example(schema, 7) == example(schema, 7)
    assert len({example(schema, seed) for seed in range(20)}) == 20


WIDE = {"type": "object", "properties": {f"p{number}": {"$ref": "#"} for number in range(40)}}
NO_WAY_OUT = {**WIDE, "required": [f"p{number}" for number in range(40)]}


@pytest.mark.parametrize(
    "schema",
    [
        WIDE,
        NO_WAY_OUT,
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"anyOf": [{"$ref": "#"}]},
        {
            "type": "array",
            "items": {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
            "minItems": 10**9,
        },
        {"type": "string", "minLength": 10**12},
    ],
)
def test_making_a_value_always_ends_and_stays_small(schema: dict[str, Any]) -> None:
    assert len(json.dumps(example(schema, 1))) < 1_000_000


def test_a_wide_recursion_that_can_end_is_ended_rightly() -> None:
    assert faults(example(WIDE, 1), WIDE) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": "object", "properties": 3, "required": "x"},
        {"enum": []},
        {"anyOf": 4, "allOf": [1]},
        {"type": "array", "items": 4, "prefixItems": 3, "minItems": "x"},
        {"type": "integer", "minimum": "x", "multipleOf": 0, "exclusiveMinimum": True},
        {"type": "string", "maxLength": -1},
        {"$ref": 4},
    ],
)
def test_a_wrong_schema_still_gets_a_value(schema: dict[str, Any]) -> None:
    json.dumps(example(schema, 1))


def bounded(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.integers(-50, 50), st.integers(0, 20)).map(
        lambda pair: {"type": kind, "minimum": pair[0], "maximum": pair[0] + pair[1]}
    )


LEAVES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from([{"type": kind} for kind in ("string", "boolean", "null", "integer", "number")]),
    bounded("integer"),
    bounded("number"),
    st.lists(st.integers() | st.text(max_size=4), min_size=1, max_size=4).map(lambda values: {"enum": values}),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}
    ),
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.dictionaries(st.text("abcde", min_size=1, max_size=3), inner, max_size=4).flatmap(
        lambda properties: st.lists(st.sampled_from(sorted(properties) or ["a"]), unique=True).map(
            lambda required: {
                "type": "object",
                "properties": properties or {"a": {}},
                "required": required,
                "additionalProperties": False,
            }
        )
    )
    arrays = st.tuples(inner, st.integers(0, 3), st.integers(0, 3)).map(
        lambda made: {"type": "array", "items": made[0], "minItems": made[1], "maxItems": made[1] + made[2]}
    )
    return objects | arrays | st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options})


@settings(max_examples=150)
@given(st.recursive(LEAVES, nested, max_leaves=12), st.integers(0, 2**64))
def test_any_schema_of_these_words_is_satisfied(schema: dict[str, Any], seed: int) -> None:
    assert faults(example(schema, seed), schema) == []
