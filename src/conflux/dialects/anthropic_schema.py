"""What Anthropic takes as a schema for an answer: a subset of JSON Schema.

Law: pure. A schema that asks for more is not sent, since it would be refused there or, worse, bent: the keyword and its
place are told. What only labels a schema is left alone; objects are closed, as there they must be.
"""

from collections.abc import Mapping
from typing import Any

# Keywords that constrain a value in a way that is not enforced there.
_BEYOND = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
    "uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "patternProperties", "propertyNames",
    "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "if", "then", "else", "not", "oneOf",
    "unevaluatedProperties", "unevaluatedItems",
})  # fmt: skip
_MANY = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf")


def beyond(schema: Any, place: str = "") -> str | None:
    """The first keyword that is beyond the subset, with its place; None where all of it can be said."""
    if not isinstance(schema, Mapping):
        return None
    for name, value in schema.items():
        where = f"{place}.{name}" if place else str(name)
        if name in _BEYOND or (name == "minItems" and value not in (0, 1)):
            return where
        if name == "additionalProperties" and value is not False:
            return where
        if name == "$ref" and not str(value).startswith("#/"):
            return where
        found = _inner(name, value, where)
        if found is not None:
            return found
    return None


def _inner(name: str, value: Any, where: str) -> str | None:
    if name in _MANY and isinstance(value, Mapping):
        inner = [(f"{where}.{key}", one) for key, one in value.items()]
    elif name in _LISTS and isinstance(value, list):
        inner = [(f"{where}[{place}]", one) for place, one in enumerate(value)]
    elif name == "items":
        inner = [(where, value)]
    else:
        return None
    return next((found for place, one in inner if (found := beyond(one, place)) is not None), None)


def closed(schema: Any) -> Any:
    """The same schema with every object closed."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {
        name: {key: closed(one) for key, one in value.items()}
        if name in _MANY and isinstance(value, Mapping)
        else closed(value)
        if name in (*_LISTS, "items")
        else value
        for name, value in schema.items()
    }
    if found.get("type") == "object" or "properties" in found:
        found.setdefault("additionalProperties", False)
    return found
