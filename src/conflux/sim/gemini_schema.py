"""Schemas as Gemini takes them: a part of OpenAPI's, with types in capitals.

Law: what the real one answers with 400 is refused here too, by the place it stands at.
"""

from typing import Any

from conflux.sim.ask import BadRequest

_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_KNOWN = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "properties",
     "required", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf",
     "propertyOrdering", "default", "minimum", "maximum"}
)  # fmt: skip
_FORMATS = {"STRING": ("enum", "date-time"), "NUMBER": ("float", "double"), "INTEGER": ("int32", "int64")}


def check_schema(schema: Any, where: str) -> None:
    if not isinstance(schema, dict):
        raise BadRequest(f"Invalid value at '{where}': a schema is an object", where)
    for name in schema:
        if name not in _KNOWN:
            text = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
            raise BadRequest(text, where)
    kind = schema.get("type")
    for place, one in enumerate(schema.get("anyOf", ())):
        check_schema(one, f"{where}.any_of[{place}]")
    if kind is None:
        if "anyOf" not in schema:
            raise BadRequest(f"{where}.type: must be specified", where)
        return
    if not isinstance(kind, str) or kind.upper() not in _TYPES:
        raise BadRequest(f"Invalid value at '{where}.type': {kind!r}", where)
    _check_values(schema, kind.upper(), where)
    if kind.upper() == "ARRAY":
        if "items" not in schema:
            raise BadRequest(f"{where}.items: missing field.", where)
        check_schema(schema["items"], f"{where}.items")
    _check_properties(schema, kind.upper(), where)


def _check_values(schema: dict[str, Any], kind: str, where: str) -> None:
    if "format" in schema and schema["format"] not in _FORMATS.get(kind, ()):
        raise BadRequest(f"{where}.format: only {_FORMATS.get(kind, ())} are supported for {kind} type", where)
    if "enum" in schema and (kind != "STRING" or not all(isinstance(one, str) and one for one in schema["enum"])):
        raise BadRequest(f"{where}.enum: only allowed for STRING type", where)


def _check_properties(schema: dict[str, Any], kind: str, where: str) -> None:
    properties = schema.get("properties")
    if properties is not None:
        if kind != "OBJECT" or not properties:
            raise BadRequest(f"{where}.properties: should be non-empty for OBJECT type", where)
        for name, one in properties.items():
            check_schema(one, f"{where}.properties[{name}]")
    if not set(schema.get("required", ())) <= (properties or {}).keys():
        raise BadRequest(f"{where}.required: property is not defined", where)


def plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The same as JSON Schema, for making examples."""
    out: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "type":
            out[name] = str(value).lower()
        elif name == "properties":
            out[name] = {key: plain_schema(one) for key, one in value.items()}
        elif name == "items":
            out[name] = plain_schema(value)
        elif name == "anyOf":
            out[name] = [plain_schema(one) for one in value]
        elif name not in ("nullable", "propertyOrdering", "format"):
            out[name] = value
    return out
