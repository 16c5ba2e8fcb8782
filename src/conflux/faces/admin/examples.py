"""An example of every body and every answer, made from what the document says of it.

Law: pure. A field that has an example of its own shows that one; the rest follows from its type and name. What an
order may leave out is left out, but where it has an example.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_MOMENT, _MILLIS = 1_793_491_200, 1_793_491_200_000
_MOMENTS = ("created", "changed", "decided", "seen", "effective_at", "expires_at")
_JSON = "application/json"


def illustrate(document: dict[str, Any]) -> None:
    """Put them into the document."""
    shapes = document.get("components", {}).get("schemas", {})
    for path in document["paths"].values():
        for operation in path.values():
            body = operation.get("requestBody", {}).get("content", {}).get(_JSON)
            if body is not None:
                body["example"] = sample(body["schema"], shapes, order=True)
            for status, said in operation["responses"].items():
                found = said.get("content", {}).get(_JSON)
                if found is not None and "schema" in found:
                    found["example"] = (
                        sample(found["schema"], shapes) if status.startswith("2") else _problem(said["description"])
                    )


def _problem(words: str) -> dict[str, Any]:
    """Every error has one shape."""
    error = {"message": words, "type": "invalid_request_error", "param": None, "code": None}
    return {"error": {**error, "request_id": "req_687f8ca6e4f6ceb3"}}


def sample(schema: Schema, shapes: Schema, name: str = "", *, order: bool = False) -> Any:
    if "$ref" in schema:
        return sample(shapes[schema["$ref"].rpartition("/")[2]], shapes, name, order=order)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("default") is not None:
        return schema["default"]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], shapes, name, order=order)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, shapes, order=order)
    if kind == "array":
        return [sample(schema["items"], shapes, name, order=order)]
    if kind == "integer":
        return _integer(schema, name)
    return {"string": _text(schema, name), "boolean": True, "number": 0.5}.get(str(kind))


def _object(schema: Schema, shapes: Schema, *, order: bool) -> dict[str, Any]:
    needed = schema.get("required", ())
    return {
        name: sample(one, shapes, name, order=order)
        for name, one in schema.get("properties", {}).items()
        if not order or name in needed or one.get("examples")
    }


def _integer(schema: Schema, name: str) -> int:
    if name in _MOMENTS:
        return _MOMENT
    if name in ("started", "ended"):
        return _MILLIS
    return max(1, int(schema.get("minimum", 1)))


def _text(schema: Schema, name: str) -> str:
    pattern = str(schema.get("pattern", ""))
    if pattern.startswith("^(") and pattern.endswith(")$"):
        return pattern[2:-2].partition("|")[0]
    if name.endswith("_usd") or name in ("amount", "unit_price", "credits"):
        return "0.0125"
    return name or "text"
