"""What Codex reads beside `data`: every field it wants, and no word it does not know."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.codex import INSTRUCTIONS
from tests.catalogue.listings.samples import has_types, ids, listed
from tests.catalogue.samples import built

# What its own source reads (codex-rs, protocol/openai_models): a field that is missing loses the whole list.
WANTED = {
    "slug": "string", "display_name": "string", "description": "string|null",
    "supported_reasoning_levels": "array", "shell_type": "string", "visibility": "string",
    "supported_in_api": "boolean", "priority": "integer", "upgrade": "null", "base_instructions": "string",
    "supports_reasoning_summaries": "boolean", "support_verbosity": "boolean", "default_verbosity": "null",
    "apply_patch_tool_type": "null", "truncation_policy": "object", "supports_parallel_tool_calls": "boolean",
    "context_window": "integer|null", "experimental_supported_tools": "array", "input_modalities": "array",
}  # fmt: skip
EFFORTS = {"none", "minimal", "low", "medium", "high", "xhigh"}


@pytest.mark.parametrize("storefront", ["conflux", "llmbase"])
def test_every_model_with_tools_in_words_codex_knows(shipped: Catalogue, storefront: str) -> None:
    answer = listed(shipped, storefront, client_version="0.169.0")
    assert list(answer) == ["object", "data", "models"]
    assert ids(answer["data"]) == [model.id for model in shipped.models_of(storefront)]
    tools = [model.id for model in shipped.models_of(storefront) if model.agent or "tools" in model.capabilities]
    assert [row["slug"] for row in answer["models"]] == tools
    for row in answer["models"]:
        has_types(row, WANTED)
        assert row["shell_type"] == "unified_exec" and row["visibility"] == "list"
        assert {one["effort"] for one in row["supported_reasoning_levels"]} <= EFFORTS
        assert row["default_reasoning_level"] in {None, *(one["effort"] for one in row["supported_reasoning_levels"])}
        assert set(row["input_modalities"]) <= {"text", "image"}
        assert row["base_instructions"] == INSTRUCTIONS


def one(**fields: Any) -> Any:
    found = listed(built(model={"capabilities": ["text", "tools"], **fields}), "shop", client_version="1")["models"]
    return found[0] if found else None


def test_the_safe_context_is_what_it_may_fill() -> None:
    assert (one(context=1000)["context_window"], one(context=1000)["effective_context_window_percent"]) == (950, 100)
    assert one()["context_window"] is None


def test_efforts() -> None:
    reasons = {"capabilities": ["text", "tools", "reasoning"]}
    assert one()["default_reasoning_level"] is None and one()["supported_reasoning_levels"] == []
    assert one(**reasons)["default_reasoning_level"] == "medium"
    fixed = one(**reasons, effort="xhigh")
    assert fixed["default_reasoning_level"] == "xhigh"
    assert [level["effort"] for level in fixed["supported_reasoning_levels"]] == ["xhigh"]
    assert one(**reasons, effort="max")["supported_reasoning_levels"] == []  # a word it does not know


def test_a_model_without_tools_is_none_for_it() -> None:
    assert one(capabilities=["text"]) is None
    assert one(kind="embedding") is None


def test_who_does_not_ask_does_not_get_it(shipped: Catalogue) -> None:
    assert "models" not in listed(shipped, "conflux")
    assert "models" not in listed(shipped, "tokenflux", client_version="1")
