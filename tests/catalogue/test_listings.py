"""Each list shape against the document that describes it, field by field and type by type."""

import json
from typing import Any

import msgspec
import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.limitations import COMPAT, PROBED
from conflux.catalogue.listings import SHAPES, Row, render_list, render_one
from conflux.catalogue.loader import load, shipped_dir
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Model, Storefront
from tests.catalogue.samples import built, seed

THREE = seed("3-inference.json")
FOUR = seed("4-tokenflux.json")
FIVE = seed("5-llmbase.json")


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load([shipped_dir()])


def rows(catalogue: Catalogue, storefront: str) -> list[Row]:
    return [Row(model=model, status="enabled") for model in catalogue.models_of(storefront)]


def listed(catalogue: Catalogue, storefront: str, **query: str) -> Any:
    return json.loads(render_list(catalogue.storefronts[storefront], rows(catalogue, storefront), query))


def by_id(answer: Any) -> dict[str, Any]:
    return {row["id"]: row for row in answer["data"]}


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (float,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def has_types(found: dict[str, Any], documented: dict[str, str]) -> None:
    for field, names in documented.items():
        allowed = tuple(one for name in names.split("|") for one in TYPES[name])
        assert type(found[field]) in allowed, (field, found[field])


# --- document 4


@pytest.mark.parametrize("example", FOUR["example"]["data"], ids=lambda row: row["id"])
def test_tokenflux_answers_its_documented_example(shipped: Catalogue, example: dict[str, Any]) -> None:
    found = by_id(listed(shipped, "tokenflux"))[example["id"]]
    for field, value in example.items():
        if field == "description":  # the document cuts it short
            assert found[field].startswith(value.rstrip(". ")[:60])
        else:
            assert found[field] == value, field
            assert type(found[field]) is type(value), field
    assert set(found) - set(example) <= {"max_dimension"}


def test_tokenflux_types_and_order(shipped: Catalogue) -> None:
    answer = listed(shipped, "tokenflux")
    assert list(answer) == ["object", "data"]
    assert answer["object"] == "list"
    assert [row["id"] for row in answer["data"]] == sorted(row["id"] for row in answer["data"])
    types = FOUR["types"]
    for row in answer["data"]:
        has_types(row, types["model"])
        has_types(row["architecture"], types["architecture"])
        has_types(row["pricing"], types["pricing"])
        assert set(row["pricing"]) == set(types["pricing"])
        if row["type"] == "embedding":
            has_types(row, types["embedding"])
        else:
            assert not set(types["embedding"]) & set(row)


def test_unknown_is_empty_and_zero_is_zero() -> None:
    said = {"model": {"price": {"input": "0", "currency": "USD"}}}
    pricing = rendered("tokenflux", **said)["pricing"]
    assert (pricing["prompt"], pricing["completion"], pricing["image"]) == ("0", "", "")


def test_a_price_is_shown_per_its_unit_and_an_item_is_not_a_token() -> None:
    fields = {"price": {"input": "0.5", "output": "2", "image": "0.003613", "request": "0.01", "unit": 1_000_000}}
    pricing = rendered("tokenflux", model=fields)["pricing"]
    assert (pricing["prompt"], pricing["completion"], pricing["unit"]) == ("0.5", "2", 1_000_000)
    assert (pricing["image"], pricing["request"]) == ("0.003613", "0.01")


# --- document 5


def test_llmbase_answers_its_documented_example(shipped: Catalogue) -> None:
    answer = listed(shipped, "llmbase")
    assert list(answer) == ["object", "data"]
    found = by_id(answer)
    for example in FIVE["example"]["data"]:
        assert found[example["id"]] == example
        assert list(found[example["id"]]) == list(example)


def test_llmbase_rich_says_what_the_document_lists(shipped: Catalogue) -> None:
    found = by_id(listed(shipped, "llmbase", metadata="true"))
    flash = found["deepseek/deepseek-v4-flash"]
    assert flash["pricing"] == {"prompt": "0.0000002", "completion": "0.0000003"}
    assert flash["supported_features"] == ["tools", "json_mode", "structured_outputs", "reasoning"]
    assert "reasoning_effort" in flash["supported_parameters"]
    assert flash["input_modalities"] == ["text"]
    assert flash["output_modalities"] == ["text"]
    assert found["z-ai/glm-5"]["supported_features"][-1] == "logprobs"
    assert {name for name, row in found.items() if "input_cache_read" in row["pricing"]} == set(FIVE["cache_read"])
    for row in found.values():
        assert type(row["max_output_length"]) is int
        assert type(row["context_length"]) is int
        assert all(type(price) is str for price in row["pricing"].values())


def test_llmbase_agents_filter_keeps_the_shape(shipped: Catalogue) -> None:
    everything = by_id(listed(shipped, "llmbase"))
    agents = by_id(listed(shipped, "llmbase", filter="agents"))
    assert set(everything) - set(agents) == set(FIVE["not_for_agents"])
    assert all(row == everything[name] for name, row in agents.items())
    rich = by_id(listed(shipped, "llmbase", filter="agents", metadata="true"))
    assert set(rich) == set(agents)
    assert all("tools" in row["supported_features"] for row in rich.values())


def test_an_unknown_filter_is_refused_where_filters_are_known(shipped: Catalogue) -> None:
    with pytest.raises(GatewayError) as caught:
        listed(shipped, "llmbase", filter="cheap")
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "filter")
    assert len(listed(shipped, "tokenflux", filter="cheap")["data"]) == 4
    assert len(listed(shipped, "llmbase", color="blue")["data"]) == 18


# --- document 3


def test_inference_answers_nine_fields(shipped: Catalogue) -> None:
    answer = listed(shipped, "inference")
    assert list(answer) == ["models"]
    assert len(answer["models"]) == 15
    for row in answer["models"]:
        assert list(row) == list(THREE["types"])
        has_types(row, THREE["types"])


def test_inference_credits_are_per_thousand_tokens_of_the_sheet() -> None:
    row = rendered("inference", model={"price": {"input": "1.75", "output": "14"}, "capabilities": ["text", "tools"]})
    assert (row["cost_per_1k_input"], row["cost_per_1k_output"]) == (0.00175, 0.014)
    assert (row["supports_tools"], row["supports_vision"]) == (True, False)


# --- the root's superset


SUPERSET = {
    "object", "owned_by", "max_output_length", "input_modalities", "output_modalities", "supported_features",
    "role", "tier", "safe_context_length", "status", "limitations", *FOUR["types"]["model"],
}  # fmt: skip


def test_the_roots_rows_are_openais_and_all_the_other_names(shipped: Catalogue) -> None:
    found = by_id(listed(shipped, "conflux"))
    assert all(set(row) == SUPERSET for row in found.values())
    row = found["conflux/deepseek-v4-pro"]
    assert row["object"] == "model"
    assert type(row["created"]) is int
    assert row["owned_by"] == "conflux"
    assert (row["role"], row["status"]) == ("BOTH", "enabled")
    assert (row["context_length"], row["safe_context_length"]) == (1_048_576, 996_147)
    assert row["limitations"] == [PROBED]
    assert (row["pricing"]["prompt"], row["pricing"]["completion"]) == ("0.000000435", "0.00000087")
    assert found["nvidia/kimi-k2.6"]["context_length"] is None
    assert found["nvidia/kimi-k2.6"]["safe_context_length"] == 250_000
    assert found["nvidia/kimi-k2.6"]["limitations"] == [COMPAT]


def test_no_row_names_a_pool_a_target_or_a_provider_address(shipped: Catalogue) -> None:
    hidden = {provider.base_url for provider in shipped.providers.values()}
    for face in shipped.storefronts.values():
        for row in rows(shipped, face.id):
            shown = render_one(face, row).decode()
            fields = json.loads(shown)
            assert not {"pool", "targets", "lane", "providers"} & set(fields)
            assert not any(address in shown for address in hidden)


def test_the_status_is_the_callers(shipped: Catalogue) -> None:
    model = shipped.models["conflux", "codex/gpt-5.5-high"]
    row = json.loads(render_one(shipped.storefronts["conflux"], Row(model=model, status="account_needed")))
    assert row["status"] == "account_needed"


# --- all shapes


def rendered(shape: str, model: dict[str, Any]) -> Any:
    catalogue = built(storefront={"list_shape": shape}, model=model)
    return json.loads(render_one(catalogue.storefronts["shop"], rows(catalogue, "shop")[0]))


def test_one_model_is_rendered_as_in_the_list(shipped: Catalogue) -> None:
    for face in shipped.storefronts.values():
        answer = listed(shipped, face.id)
        for row, shown in zip(rows(shipped, face.id), answer.get("data") or answer["models"], strict=True):
            assert json.loads(render_one(face, row)) == shown
    rich = json.loads(render_one(shipped.storefronts["llmbase"], rows(shipped, "llmbase")[0], {"metadata": "true"}))
    assert "pricing" in rich


def test_every_storefronts_shape_is_in_the_table(shipped: Catalogue) -> None:
    assert {face.list_shape for face in shipped.storefronts.values()} <= set(SHAPES)


def test_an_empty_list_is_a_list() -> None:
    face = Storefront(id="s", name="S", mount="/")
    assert render_list(face, [], {}) == b'{"object":"list","data":[]}'
    assert render_list(msgspec.structs.replace(face, list_shape="inference"), [], {}) == b'{"models":[]}'


def test_a_bare_model_renders_in_every_shape() -> None:
    model = Model(storefront="s", id="bare", name="Bare", pool="p")
    for shape, render in SHAPES.items():
        face = Storefront(id="s", name="S", mount="/", list_shape=shape)
        assert msgspec.json.encode(render(face, Row(model=model, status="enabled")))
