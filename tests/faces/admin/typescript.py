"""The admin API's types for the web app, written from its OpenAPI document: `./run ui types`.

Law: `ui/src/api/admin.gen.ts` is this and nothing else; a test of the house fails when it is out of date. A field that
the document does not require may be left out; a text with a closed list of words is that list.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from conflux.faces.admin.app import build, document
from tests.house.tree import ROOT

PLACE = ROOT / "ui" / "src" / "api" / "admin.gen.ts"
_HEAD = """\
// Written by `./run ui types` from the OpenAPI document of the admin API: change the endpoints, not this file.

"""
_WORDS = re.compile(r"\^\(([\w|.-]+)\)\$")
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NAME = re.compile(r"[A-Za-z_]\w*")


def typescript(openapi: Mapping[str, Any]) -> str:
    shapes = "".join(_shape(name, one) for name, one in sorted(openapi["components"]["schemas"].items()))
    operations = [
        (one["operationId"], method.upper(), path.removeprefix("/"), one)
        for path, methods in openapi["paths"].items()
        for method, one in methods.items()
    ]
    operations.sort(key=lambda one: one[0])
    routes = "".join(f"  {name}: ['{method}', '{path}'],\n" for name, method, path, _ in operations)
    api = "".join(_operation(name, one) for name, _, _, one in operations)
    return (
        _HEAD
        + shapes
        + "/** Method and path of every operation, below the place where the gateway is. */\n"
        + f"export const routes = {{\n{routes}}} as const;\n\n"
        + "/** What every operation takes and answers; `answer` is undefined where there is no body. */\n"
        + f"export type Api = {{\n{api}}};\n"
    )


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    return f"{_remark(schema, '')}export type {name} = {_type(schema, '')};\n\n"


def _operation(name: str, one: Mapping[str, Any]) -> str:
    path = {each["name"]: each for each in one.get("parameters", ()) if each["in"] == "path"}
    query = {each["name"]: each for each in one.get("parameters", ()) if each["in"] == "query"}
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    (good,) = [found for status, found in one["responses"].items() if status.startswith("2")]
    answer = good.get("content", {}).get("application/json", {}).get("schema")
    return (
        f"  /** {_safe(one['summary'])}. For: {one['x-conflux-rule']}. */\n  {name}: {{\n"
        f"    path: {_parameters(path)};\n    query: {_parameters(query)};\n"
        f"    body: {_type(body, '    ') if body else 'undefined'};\n"
        f"    answer: {_type(answer, '    ') if answer else 'undefined'};\n  }};\n"
    )


def _parameters(found: Mapping[str, Mapping[str, Any]]) -> str:
    fields = [
        f"{_field(name)}{'' if one.get('required') else '?'}: {_type(one['schema'], '')}" for name, one in found.items()
    ]
    return f"{{ {'; '.join(fields)} }}" if fields else "Record<string, never>"


def _type(schema: Mapping[str, Any], indent: str) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(one, indent) for one in schema[several]))
    if "enum" in schema or "const" in schema:
        return " | ".join(_word(one) for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema.get("items", {}), indent)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if kind == "object":
        return _object(schema, indent)
    words = _WORDS.fullmatch(schema.get("pattern", ""))
    if words is not None:
        return " | ".join(_word(one) for one in words[1].split("|"))
    return _PLAIN.get(str(kind), "unknown")


def _object(schema: Mapping[str, Any], indent: str) -> str:
    more, needed = schema.get("additionalProperties"), schema.get("required", ())
    rest = "unknown" if more in (True, None) else _type(more, indent) if isinstance(more, dict) else None
    fields = schema.get("properties", {})
    if not fields:
        return f"Record<string, {rest}>" if rest is not None else "Record<string, never>"
    lines = [
        f"{_remark(one, indent + '  ')}{indent}  {_field(name)}{'' if name in needed else '?'}: "
        f"{_type(one, indent + '  ')};\n"
        for name, one in fields.items()
    ]
    closed = f"{{\n{''.join(lines)}{indent}}}"
    return closed + " & { [more: string]: unknown }" if rest is not None else closed


def _remark(schema: Mapping[str, Any], indent: str) -> str:
    said = _safe(schema.get("description", ""))
    return f"{indent}/** {said} */\n" if said else ""


def _safe(text: str) -> str:
    return " ".join(text.replace("*/", "* /").split())


def _field(name: str) -> str:
    return name if _NAME.fullmatch(name) else _word(name)


def _word(value: object) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" if isinstance(value, str) else json.dumps(value)


def written() -> str:
    desk: Any = None  # the document asks nothing of it
    return typescript(document(build(desk)))


if __name__ == "__main__":
    PLACE.write_text(written(), encoding="utf-8")
