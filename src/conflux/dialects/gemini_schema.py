"""Schemas: JSON Schema as everyone else writes it, Gemini's own as Gemini takes it.

Law: what Gemini's schema cannot say is said another way where it means the same, relaxed where it does not, and then
named; never passed on to be refused. References are written out, within a bound, since they could double at every step.
"""

from typing import Any

from conflux.neutral.errors import GatewayError, Kind

_MOST_NODES = 20_000
_DEEP = 100

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_KEPT = (
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minProperties",
    "maxProperties",
    "default",
)
_DONE = frozenset(
    {*_KEPT, "type", "enum", "const", "format", "items", "prefixItems", "properties", "required", "anyOf", "oneOf",
     "allOf", "$ref", "exclusiveMinimum", "exclusiveMaximum", "propertyOrdering"}
)  # fmt: skip
# They say nothing of what is valid.
_NOTES = frozenset(
    {"$schema", "$id", "$comment", "$defs", "definitions", "$anchor", "examples", "example", "deprecated", "readOnly",
     "writeOnly", "id"}
)  # fmt: skip
_FORMATS = {"string": ("date-time", "enum"), "number": ("float", "double"), "integer": ("int32", "int64")}
_ANYTHING: list[dict[str, Any]] = [{"type": "STRING"}, {"type": "NUMBER"}, {"type": "BOOLEAN"}, {"type": "OBJECT"}]


def clean(schema: dict[str, Any], lost: set[str], *, ordered: bool = False) -> dict[str, Any]:
    """The schema as Gemini takes it; the keywords that had to go are added to `lost`."""
    return _Cleaner(schema, lost, ordered).write(schema, ())


class _Cleaner:
    def __init__(self, root: dict[str, Any], lost: set[str], ordered: bool) -> None:
        self._root = root
        self._lost = lost
        self._ordered = ordered
        self._nodes = 0

    def write(self, schema: Any, inside: tuple[str, ...]) -> dict[str, Any]:
        """`inside`: the references that lead here."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise GatewayError(Kind.UNSUPPORTED, "the schema is too large once its references are written out")
        if not isinstance(schema, dict) or not schema:
            return {"anyOf": list(_ANYTHING)}
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema, inside)
        if isinstance(schema.get("allOf"), list):
            return self.write(*self._merged(schema, inside))
        self._lost.update(schema.keys() - _DONE - _NOTES)
        out = {name: schema[name] for name in _KEPT if name in schema}
        types = self._types(schema, out)
        members = [one for name in ("anyOf", "oneOf") if _is_list(schema.get(name)) for one in schema[name]]
        if "oneOf" in schema:
            self._lost.add("oneOf")
        if members:
            self._union(members, out, inside)
        if len(types) > 1:
            out["anyOf"] = [*out.get("anyOf", ()), *(self._typed({**schema, "type": one}, one, {}, inside)
                                                     for one in types)]  # fmt: skip
            return out
        if not types:
            return out if "anyOf" in out or "type" in out else {**out, "anyOf": list(_ANYTHING)}
        return self._typed(schema, types[0], out, inside)

    def _referred(self, schema: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        name = schema["$ref"]
        target = self._find(name)
        if name in inside or target is None:
            self._lost.add("$ref")
            return {"type": "OBJECT"}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return self.write({**target, **beside} if isinstance(target, dict) else target, (*inside, name))

    def _find(self, name: str) -> Any:
        if not name.startswith("#"):
            return None
        place: Any = self._root
        for step in name[1:].strip("/").split("/") if name != "#" else ():
            step = step.replace("~1", "/").replace("~0", "~")
            place = place.get(step) if isinstance(place, dict) else None
        return place

    def _merged(self, schema: dict[str, Any], inside: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """All of several, as one: properties together, the rest by the last that says it. And what led there."""
        out: dict[str, Any] = {}
        rest = {name: value for name, value in schema.items() if name != "allOf"}
        for one in (*schema["allOf"], rest):
            self._nodes += 1
            while isinstance(one, dict) and isinstance(one.get("$ref"), str) and one["$ref"] not in inside:
                inside = (*inside, one["$ref"])
                one = self._find(one["$ref"])
            if not isinstance(one, dict):
                continue
            for name, value in one.items():
                if name == "properties" and isinstance(value, dict) and isinstance(out.get(name), dict):
                    out[name] = {**out[name], **value}
                elif name == "required" and isinstance(value, list) and isinstance(out.get(name), list):
                    out[name] = [*out[name], *value]
                elif name == "$ref":
                    self._lost.add(name)
                else:
                    out[name] = value
        return out, inside

    def _types(self, schema: dict[str, Any], out: dict[str, Any]) -> list[str]:
        said = schema.get("type")
        found = [one.lower() for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)]
        if "null" in found:
            out["nullable"] = True
        found = [one for one in found if one in _TYPES]
        if not found:
            values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema.get("const")]
            if any(isinstance(one, str) for one in values):
                return ["string"]
            if isinstance(schema.get("properties"), dict):
                return ["object"]
            if "items" in schema:
                return ["array"]
            if isinstance(schema.get("const"), int | float):
                return ["boolean" if isinstance(schema["const"], bool) else "number"]
        return found

    def _union(self, members: list[Any], out: dict[str, Any], inside: tuple[str, ...]) -> None:
        kept = [one for one in members if not (isinstance(one, dict) and one.get("type") == "null")]
        if len(kept) < len(members):
            out["nullable"] = True
        written = [self.write(one, inside) for one in kept]
        if len(written) == 1:
            for name, value in written[0].items():
                out.setdefault(name, value)
        elif written:
            out["anyOf"] = written

    def _typed(self, schema: dict[str, Any], kind: str, out: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        out["type"] = kind.upper()
        self._values(schema, kind, out)
        if "format" in schema:
            if schema["format"] in _FORMATS.get(kind, ()):
                out["format"] = schema["format"]
            else:
                self._lost.add("format")
        if kind in ("integer", "number"):
            self._bounds(schema, kind, out)
        if kind == "array":
            self._items(schema, out, inside)
        if kind == "object" and isinstance(schema.get("properties"), dict) and schema["properties"]:
            properties = schema["properties"]
            out["properties"] = {name: self.write(one, inside) for name, one in properties.items()}
            if _is_list(schema.get("required")):
                required = [name for name in schema["required"] if isinstance(name, str) and name in properties]
                if required:
                    out["required"] = list(dict.fromkeys(required))
            if self._ordered and len(properties) > 1:
                out["propertyOrdering"] = list(properties)
        return out

    def _values(self, schema: dict[str, Any], kind: str, out: dict[str, Any]) -> None:
        """Only texts can be listed; one number can be bounded from both sides; of others the reader is told."""
        if "const" in schema:
            values = [schema["const"]]
        elif _is_list(schema.get("enum")):
            values = list(schema["enum"])
        else:
            return
        if None in values:
            out["nullable"] = True
            values = [one for one in values if one is not None]
        if kind == "string" and values:
            out["enum"] = [one if isinstance(one, str) else str(one) for one in values]
        elif kind in ("integer", "number") and len(values) == 1 and type(values[0]) in (int, float):
            out["minimum"] = out["maximum"] = values[0]
        elif values:
            self._lost.add("const" if "const" in schema else "enum")
            told = "One of: " + ", ".join(str(one) for one in values)
            out["description"] = f"{out['description']} {told}" if isinstance(out.get("description"), str) else told

    def _bounds(self, schema: dict[str, Any], kind: str, out: dict[str, Any]) -> None:
        for name, bound, step, tighter in (
            ("exclusiveMinimum", "minimum", 1, max),
            ("exclusiveMaximum", "maximum", -1, min),
        ):
            value = schema.get(name)
            if value is None:
                continue
            if type(value) not in (int, float):
                self._lost.add(name)
                continue
            whole = kind == "integer" and value == int(value)
            if not whole:
                self._lost.add(name)  # the bound itself is let in
            value = int(value) + step if whole else value
            out[bound] = tighter(out[bound], value) if type(out.get(bound)) in (int, float) else value

    def _items(self, schema: dict[str, Any], out: dict[str, Any], inside: tuple[str, ...]) -> None:
        items = schema.get("items", True)
        rows = schema.get("prefixItems") or (items if isinstance(items, list) else None)
        if _is_list(rows) and rows:
            self._lost.add("prefixItems")
            written = [self.write(one, inside) for one in rows]
            out["items"] = written[0] if all(one == written[0] for one in written) else {"anyOf": written}
            out.setdefault("minItems", len(written))
            return
        out["items"] = self.write(items if isinstance(items, dict) else {}, inside)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


_NAMES = {
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
}
_WHOLE = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})


# What Gemini reads of JSON Schema itself, where it takes it.
_READ = _NOTES | frozenset(
    {"type", "format", "title", "description", "enum", "$ref", "anyOf", "oneOf", "items", "prefixItems", "minItems",
     "maxItems", "minimum", "maximum", "properties", "additionalProperties", "required", "propertyOrdering"}
)  # fmt: skip
_BY_NAME = frozenset({"properties", "$defs", "definitions"})


def reads_all(schema: Any, depth: int = 0) -> bool:
    """Is there nothing in a JSON Schema that Gemini would overlook?"""
    if isinstance(schema, list):
        return all(reads_all(one, depth) for one in schema)
    if not isinstance(schema, dict):
        return True
    if depth > _DEEP or not schema.keys() <= _READ:
        return False
    for name, inner in schema.items():
        if name in _BY_NAME and isinstance(inner, dict):
            inner = list(inner.values())
        elif name in ("enum", "required", "propertyOrdering", "examples", "example"):
            continue
        if not reads_all(inner, depth + 1):
            return False
    return True


def to_json_schema(schema: Any) -> Any:
    """Gemini's own schema, as JSON Schema."""
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for written, value in schema.items():
        name = str(_NAMES.get(written, written))
        if name == "properties" and isinstance(value, dict):
            out[name] = {key: to_json_schema(one) for key, one in value.items()}
        elif name == "items":
            out[name] = to_json_schema(value)
        elif name == "anyOf" and isinstance(value, list):
            out[name] = [to_json_schema(one) for one in value]
        elif name == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                out[name] = value.lower()
        elif name in _WHOLE and isinstance(value, str) and value.isdecimal() and len(value) < 19:
            out[name] = int(value)  # a 64 bit number travels as text
        elif name == "example":
            out["examples"] = [value]
        elif not (name in ("nullable", "propertyOrdering") or (name == "format" and value == "enum")):
            out[name] = value
    _order(out, schema.get("propertyOrdering") or schema.get("property_ordering"))
    if schema.get("nullable") is True:
        _allow_null(out)
    return out


def _order(out: dict[str, Any], ordering: Any) -> None:
    properties = out.get("properties")
    if isinstance(properties, dict) and isinstance(ordering, list):
        named = [name for name in ordering if isinstance(name, str) and name in properties]
        out["properties"] = {name: properties[name] for name in (*named, *properties)}


def _allow_null(out: dict[str, Any]) -> None:
    if "type" in out:
        out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list):
            out["enum"] = [*out["enum"], None]
    elif "anyOf" in out:
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]
