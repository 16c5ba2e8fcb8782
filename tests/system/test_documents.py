"""The examples of the five documents, asked for over HTTP: field by field, type by type.

Law: what the examples say lies as data in tests/seeds, typed from the documents.
"""

from typing import Any

import pytest

from tests.catalogue.listings.samples import has_types, same
from tests.catalogue.samples import seed
from tests.system.serving import Served

TWO, THREE = seed("2-chat.json"), seed("3-inference.json")
FOUR, FIVE = seed("4-tokenflux.json"), seed("5-llmbase.json")


def ask(served: Served, key: str, **fields: Any) -> Any:
    body = {"messages": [{"role": "user", "content": "[[say: 1, 2]]"}], **fields}
    return served.call("POST", "/v1/chat/completions", body, key=key)


def test_one_the_selection_example(plain: Served, plain_key: str) -> None:
    body = {"model": "conflux/deepseek-v4-pro", "messages": [{"role": "user", "content": "Review this API design."}]}
    assert plain.call("POST", "/v1/chat/completions", body, key=plain_key).json()["model"] == body["model"]


def test_two_the_response(plain: Served, plain_key: str) -> None:
    said = TWO["response"]
    found = ask(plain, plain_key, model="gpt-4o-mini", max_tokens=100, temperature=0.7).json()
    has_types(found, said["types"])
    (choice,) = found["choices"]
    has_types(choice, said["choice"])
    has_types(choice["message"], said["message"])
    has_types(found["usage"], said["usage"])
    values = {**found, **choice, **choice["message"]}
    assert {name: values[name] for name in said["values"]} == said["values"]
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_two_the_chunks(plain: Served, plain_key: str) -> None:
    said = TWO["chunk"]
    answer = ask(plain, plain_key, model="gpt-4o-mini", stream=True)
    *chunks, last = answer.events()
    assert last == "[DONE]"
    texts = []
    for chunk in chunks:
        has_types(chunk, said["types"])
        (choice,) = chunk["choices"]
        has_types(choice, said["choice"])
        if choice["delta"].get("content"):
            has_types(choice["delta"], said["delta"])
            texts.append(choice["delta"]["content"])
    assert "".join(texts) == "1, 2"


def test_two_the_error(plain: Served, plain_key: str) -> None:
    answer = ask(plain, plain_key, model="invalid-model-name")
    assert answer.status == 404
    found = answer.json()
    same({name: found[name] for name in TWO["unknown_model"]}, TWO["unknown_model"])


def test_three_the_model_object(plain: Served) -> None:
    key = plain.key(storefront="inference", name="documents")
    found = plain.get("/models", headers={"x-api-key": key}).json()
    assert list(found) == ["models"] and len(found["models"]) == len(THREE["models"])
    for row in found["models"]:
        assert list(row) == list(THREE["types"])
        has_types(row, THREE["types"])
    # the cost is 1.75 and 14 dollars a million, the margin 1.4
    (one,) = [row for row in found["models"] if row["id"] == "gpt-5.2"]
    assert (one["cost_per_1k_input"], one["cost_per_1k_output"]) == (0.00245, 0.0196)


@pytest.mark.parametrize("path", ["/models", "/tokenflux/v1/models"])
def test_four_the_list(plain: Served, path: str) -> None:
    found = {row["id"]: row for row in plain.get(path).json()["data"]}
    for example in FOUR["example"]["data"]:
        row = found[example["id"]]
        assert row["description"].startswith(example["description"].rstrip(". ")[:60])
        same({name: row[name] for name in example if name != "description"},
             {name: value for name, value in example.items() if name != "description"})  # fmt: skip


def test_five_the_list_and_the_metadata(plain: Served) -> None:
    found = {row["id"]: row for row in plain.get("/llmbase/v1/models").json()["data"]}
    for example in FIVE["example"]["data"]:
        same(found[example["id"]], example)
    for row in plain.get("/llmbase/v1/models?metadata=true").json()["data"]:
        has_types(row, FIVE["types"]["metadata"])
