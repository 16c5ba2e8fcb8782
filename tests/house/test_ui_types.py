"""The web app's types are those of the admin API as it is now."""

from typing import Any

from tests.faces.admin.typescript import PLACE, typescript, written


def test_the_types_are_up_to_date() -> None:
    assert PLACE.read_text(encoding="utf-8") == written(), "run `./run ui types`: the admin API has changed"


def test_every_kind_of_schema_is_told() -> None:
    """One document that has them all."""
    row: dict[str, Any] = {
        "type": "object",
        "required": ["id", "or"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "description": "Ends */ here."},
            "or": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]},
            "kind": {"type": "string", "pattern": "^(a|b)$"},
            "one": {"const": "it's"},
            "odd-name": {"type": "array", "items": {"enum": ["x", 1]}},
            "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "any": {},
        },
    }
    good = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Row"}}}}, "400": {}}
    path = [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}]
    query = [{"in": "query", "name": "q", "schema": {"type": "string"}}]
    get = {"operationId": "getRow", "summary": "One", "x-conflux-rule": "open", "parameters": [*path, *query],
           "responses": good}  # fmt: skip
    end = {"operationId": "endRow", "summary": "End", "x-conflux-rule": "house", "responses": {"204": {}}}
    told = typescript({"paths": {"/rows/{id}": {"get": get, "delete": end}}, "components": {"schemas": {"Row": row}}})
    for part in (
        "  /** Ends * / here. */\n  id: string;\n  or: number | null;\n  kind?: 'a' | 'b';\n  one?: 'it\\'s';\n",
        "  'odd-name'?: ('x' | 1)[];\n  map?: Record<string, boolean>;\n  any?: unknown;\n};\n",
        "  getRow: ['GET', 'rows/{id}'],\n",
        "    path: { id: string };\n    query: { q?: string };\n    body: undefined;\n    answer: Row;\n",
        "    answer: undefined;\n",
    ):
        assert part in told
