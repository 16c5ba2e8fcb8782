"""Document 4, field by field and type by type."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from tests.catalogue.listings.samples import by_id, has_types, ids, listed, rendered, same
from tests.catalogue.samples import seed

FOUR = seed("4-tokenflux.json")


@pytest.mark.parametrize("example", FOUR["example"]["data"], ids=lambda row: row["id"])
def test_the_documented_example(shipped: Catalogue, example: dict[str, Any]) -> None:
    found = by_id(listed(shipped, "tokenflux"))[example["id"]]
    assert found["description"].startswith(example["description"].rstrip(". ")[:60])  # the document cuts it short
    # the field table adds max_dimension, which the example leaves out
    assert found.pop("max_dimension", max(example.get("dimensions", [None]))) == max(example.get("dimensions", [None]))
    same({**found, "description": ""}, {**example, "description": ""})


def test_types_and_order(shipped: Catalogue) -> None:
    answer = listed(shipped, "tokenflux")
    assert list(answer) == ["object", "data"]
    assert answer["object"] == "list"
    assert ids(answer["data"]) == sorted(ids(answer["data"]))
    types = FOUR["types"]
    for row in answer["data"]:
        has_types(row, types["model"])
        has_types(row["architecture"], types["architecture"])
        if row["type"] == "embedding":
            has_types(row, types["embedding"])
        else:
            assert not set(types["embedding"]) & set(row)


def test_what_is_unknown_has_its_documented_value() -> None:
    row = rendered("tokenflux", {"context": None})
    assert (row["created"], row["supported_parameters"], row["hugging_face_id"]) == (0, [], None)
    assert (row["architecture"]["tokenizer"], row["architecture"]["instruct_type"]) == ("", None)
    assert row["architecture"]["modality"] == "text->text"
    assert row["context_length"] is None and row["canonical_slug"] == row["id"]
