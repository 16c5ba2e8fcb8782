"""Does a value satisfy a JSON schema? Written from the standard's text, for the keywords the simulator promises.

Law: shares no code with the simulator's own schema.py; a keyword it does not know fails loudly.
"""

from fractions import Fraction
from typing import Any

_KNOWN = {
    "$schema", "$defs", "definitions", "$ref", "title", "description", "default", "examples", "strict",
    "type", "enum", "const", "properties", "required", "additionalProperties", "minProperties", "items", "prefixItems",
    "minItems", "maxItems", "uniqueItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "format", "anyOf", "oneOf", "allOf",
}  # fmt: skip

_TYPES: dict[str, Any] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in (int, float),
}


def faults(value: Any, schema: Any, root: Any = None, where: str = "$") -> list[str]:
    root = schema if root is None else root
    if schema is True:
        return []
    if schema is False:
        return [f"{where}: nothing is allowed here"]
    assert set(schema) <= _KNOWN, set(schema) - _KNOWN
    found = _combined(value, schema, root, where) + _plain(value, schema, where)
    if isinstance(value, dict):
        found += _object(value, schema, root, where)
    elif isinstance(value, list):
        found += _array(value, schema, root, where)
    return found


def _combined(value: Any, schema: Any, root: Any, where: str) -> list[str]:
    found = []
    if "$ref" in schema:
        place = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            place = place[step] if step else place
        found += faults(value, place, root, where)
    for part in schema.get("allOf", ()):
        found += faults(value, part, root, where)
    for word in ("anyOf", "oneOf"):
        if word in schema and all(faults(value, part, root, where) for part in schema[word]):
            found.append(f"{where}: {value!r} fits none of {word}")
    return found


def _plain(value: Any, schema: Any, where: str) -> list[str]:
    found = []
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_TYPES[kind](value) for kind in kinds):
            found.append(f"{where}: {value!r} is no {kinds}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not in {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        found.append(f"{where}: {len(value)} characters")
    if type(value) in (int, float):
        found += _number(value, schema, where)
    return found


def _object(value: dict[str, Any], schema: Any, root: Any, where: str) -> list[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, inner in value.items():
        found += faults(inner, properties.get(name, others), root, f"{where}.{name}")
    if len(value) < schema.get("minProperties", 0):
        found.append(f"{where}: {len(value)} properties")
    return found


def _array(value: list[Any], schema: Any, root: Any, where: str) -> list[str]:
    first = schema.get("prefixItems", [])
    found = []
    for place, inner in enumerate(value):
        found += faults(
            inner, first[place] if place < len(first) else schema.get("items", True), root, f"{where}[{place}]"
        )
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{where}: {len(value)} items")
    if schema.get("uniqueItems") and any(one in value[:place] for place, one in enumerate(value)):
        found.append(f"{where}: not unique")
    return found


def _number(value: float, schema: Any, where: str) -> list[str]:
    bad = (
        value < schema.get("minimum", value)
        or value > schema.get("maximum", value)
        or ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
        or ("exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"])
        or ("multipleOf" in schema and Fraction(str(value)) % Fraction(str(schema["multipleOf"])) != 0)
    )
    return [f"{where}: {value!r} is out of bounds"] if bad else []
