"""Document 5, basic and rich."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.choose import LISTS
from tests.catalogue.listings.samples import by_id, has_types, listed, same
from tests.catalogue.samples import seed

FIVE = seed("5-llmbase.json")


@pytest.mark.parametrize("example", FIVE["example"]["data"], ids=lambda row: row["id"])
def test_the_documented_example(shipped: Catalogue, example: dict[str, Any]) -> None:
    answer = listed(shipped, "llmbase")
    assert list(answer) == ["object", "data"]
    same(by_id(answer)[example["id"]], example)


def test_rich_says_what_the_document_lists(shipped: Catalogue) -> None:
    found = by_id(listed(shipped, "llmbase", metadata="true"))
    for row in found.values():
        has_types(row, FIVE["types"]["metadata"])
        assert set(row["pricing"]) <= set(FIVE["types"]["pricing"])
        has_types(row["pricing"], {name: FIVE["types"]["pricing"][name] for name in row["pricing"]})
    flash = found["deepseek/deepseek-v4-flash"]
    assert flash["pricing"] == {"prompt": "0.0000002", "completion": "0.0000003"}
    assert flash["supported_features"] == ["tools", "json_mode", "structured_outputs", "reasoning"]
    assert "reasoning_effort" in flash["supported_parameters"]
    assert (flash["input_modalities"], flash["output_modalities"]) == (["text"], ["text"])
    assert found["z-ai/glm-5"]["supported_features"][-1] == "logprobs"
    assert {name for name, row in found.items() if "input_cache_read" in row["pricing"]} == set(FIVE["cache_read"])


def test_rich_is_basic_and_more(shipped: Catalogue) -> None:
    basic, rich = by_id(listed(shipped, "llmbase")), by_id(listed(shipped, "llmbase", metadata="true"))
    assert list(basic) == list(rich)
    assert all(basic[name].items() <= row.items() for name, row in rich.items())


def test_the_agents_filter_keeps_the_shape(shipped: Catalogue) -> None:
    everything = by_id(listed(shipped, "llmbase"))
    agents = by_id(listed(shipped, "llmbase", filter="agents"))
    assert set(everything) - set(agents) == set(FIVE["not_for_agents"])
    assert all(row == everything[name] for name, row in agents.items())
    rich = by_id(listed(shipped, "llmbase", filter="agents", metadata="true"))
    assert set(rich) == set(agents)
    assert all("tools" in row["supported_features"] for row in rich.values())


def test_the_other_paths_are_the_same_lists(shipped: Catalogue) -> None:
    assert listed(shipped, "llmbase", LISTS["/v1/model-metadata"]) == listed(shipped, "llmbase", metadata="true")
    assert listed(shipped, "llmbase", LISTS["/api/v1/agents/models"]) == listed(shipped, "llmbase", filter="agents")
    both = listed(shipped, "llmbase", LISTS["/api/v1/agents/models"], metadata="true")
    assert both == listed(shipped, "llmbase", filter="agents", metadata="true")
