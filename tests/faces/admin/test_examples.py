"""Twin of faces/admin/examples.py: every operation shows what it takes and answers, and what it shows is true."""

from typing import Any

import jsonschema_rs

from conflux.faces.admin.app import TABLES, build, document
from conflux.faces.admin.examples import sample


def test_every_operation_has_examples_that_hold() -> None:
    desk: Any = None
    found = document(build(desk))
    shapes = found["components"]
    outs = {spec.endpoint.__name__: spec.out for table in TABLES for spec in table.specs}
    seen = 0
    for methods in found["paths"].values():
        for one in methods.values():
            body = one.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                jsonschema_rs.validate({**body["schema"], "components": shapes}, body["example"])
                seen += 1
            for status, said in one["responses"].items():
                told = said.get("content", {}).get("application/json")
                if told is None:
                    assert status == "204", (one["operationId"], status)
                    continue
                jsonschema_rs.validate({**told["schema"], "components": shapes}, told["example"])
                seen += 1
    assert seen > 2 * len(outs)


def test_what_follows_from_type_and_name() -> None:
    shapes: dict[str, Any] = {"Row": {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, "cost_usd": {"type": "string"}, "created": {"type": "integer"},
        "started": {"type": "integer"}, "kind": {"type": "string", "pattern": "^(a|b)$"}, "on": {"type": "boolean"},
        "n": {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}]}, "w": {"const": 3}, "e": {"enum": ["x"]},
        "d": {"type": "string", "default": "day"}, "q": {"type": "number"}, "x": {"type": "string", "examples": ["y"]},
        "any": {}}}}  # fmt: skip
    whole = sample({"type": "array", "items": {"$ref": "#/components/schemas/Row"}}, shapes)
    assert whole == [
        {"id": "id", "cost_usd": "0.0125", "created": 1_793_491_200, "started": 1_793_491_200_000, "kind": "a",
         "on": True, "n": 5, "w": 3, "e": "x", "d": "day", "q": 0.5, "x": "y", "any": None}
    ]  # fmt: skip
    assert sample({"$ref": "#/components/schemas/Row"}, shapes, order=True) == {"id": "id", "x": "y"}
