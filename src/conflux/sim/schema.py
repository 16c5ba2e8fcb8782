"""A value that a JSON schema accepts, made from a seed.

Law: covers what structured outputs are written with (objects, arrays, enums, constants, bounds, alternatives, local
references); what it does not know it answers with a string, and depth is bounded.
"""

import random
from typing import Any

_DEEPEST = 24


def example(schema: dict[str, Any], seed: int) -> Any:
    return _make(schema, schema, random.Random(seed), 0)


def _make(schema: Any, root: dict[str, Any], chance: random.Random, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return "simulated"
    if "$ref" in schema:
        return _make(_resolve(str(schema["$ref"]), root), root, chance, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return chance.choice(schema["enum"])
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            # The last alternative ends recursive schemas: they write null or a leaf there.
            options = schema[word]
            return _make(options[-1] if depth > _DEEPEST // 2 else options[0], root, chance, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            part = _resolve(str(part["$ref"]), root) if "$ref" in part else part
            merged["properties"] = {**merged.get("properties", {}), **part.get("properties", {})}
            merged["required"] = [*merged.get("required", []), *part.get("required", [])]
            merged = {**part, **merged}
        return _make(merged, root, chance, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return _of_type(kind, schema, root, chance, depth)


def _of_type(kind: str | None, schema: dict[str, Any], root: dict[str, Any], chance: random.Random, depth: int) -> Any:
    match kind:
        case "object":
            return _object(schema, root, chance, depth)
        case "array":
            count = max(int(schema.get("minItems", 1)), 0)
            count = min(count or (1 if depth < _DEEPEST // 2 else 0), int(schema.get("maxItems", count or 1)))
            return [_make(schema.get("items", {"type": "string"}), root, chance, depth + 1) for _ in range(count)]
        case "integer":
            return _integer(schema, chance)
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            high = schema.get("maximum", schema.get("exclusiveMaximum", low + 1))
            return low + (high - low) / 2
        case "boolean":
            return chance.random() < 0.5
        case "null":
            return None
        case None if "properties" in schema:
            return _object(schema, root, chance, depth)
        case _:
            return _string(schema, chance)


def _object(schema: dict[str, Any], root: dict[str, Any], chance: random.Random, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    required = set(schema.get("required", properties if depth < _DEEPEST // 2 else ()))
    return {name: _make(inner, root, chance, depth + 1) for name, inner in properties.items() if name in required}


def _integer(schema: dict[str, Any], chance: random.Random) -> int:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 101) - ("exclusiveMaximum" in schema))
    step = int(schema.get("multipleOf", 1))
    value = chance.randint(int(low), max(int(low), int(high)))
    return -(-value // step) * step if -(-value // step) * step <= high else value // step * step


_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "sim@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}


def _string(schema: dict[str, Any], chance: random.Random) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    text = f"simulated {chance.randrange(1000)}"
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    text = text.ljust(least, "x")
    return text[: int(most)] if most is not None else text


def _resolve(reference: str, root: dict[str, Any]) -> Any:
    place: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if not step:
            continue
        place = place.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(place, dict) else {}
    return place
