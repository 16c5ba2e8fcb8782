"""The shipped catalogue against the documents' figures, which lie as tables in tests/seeds.

Law: those tables were typed from the documents, never from the catalogue; a figure that differs is our mistake.
"""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.figures import price, tags, tokens
from conflux.catalogue.limitations import ACCOUNT, COMPAT, DISABLED, OPENROUTER, PROBED, limitations
from conflux.catalogue.loader import load, shipped_dir
from conflux.neutral.money import per_million
from conflux.neutral.records import Capability, FluxRole, Model
from tests.catalogue.samples import seed

ONE = seed("1-conflux.json")["models"]
TWO = seed("2-chat.json")
THREE = seed("3-inference.json")
FOUR = seed("4-tokenflux.json")
FIVE = seed("5-llmbase.json")


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load([shipped_dir()])


def found(catalogue: Catalogue, storefront: str, name: str) -> Model:
    model = catalogue.models.get((storefront, name))
    assert model is not None, f"{storefront} has no model {name}"
    return model


def exact(dollars: str) -> str:
    """$1.80 as the sheet writes it: 1.8."""
    text = dollars.removeprefix("$")
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- document 1


def test_the_tables_are_whole() -> None:
    assert len(ONE) == 48
    assert len(FIVE["models"]) == 18
    assert len(FIVE["certified"]) == 8
    assert len(THREE["models"]) == 15


TEXT_OF = {"compat": COMPAT, "probed": PROBED, "disabled": DISABLED, "account": ACCOUNT, "openrouter": OPENROUTER}


@pytest.mark.parametrize("row", ONE, ids=lambda row: row["id"])
def test_a_row_of_the_system_catalogue_is_shown_as_documented(shipped: Catalogue, row: dict[str, Any]) -> None:
    model = found(shipped, "conflux", row["id"])
    shown = {
        "id": model.id,
        "name": model.name,
        "provider": model.provider_label,
        "role": model.role,
        "context": tokens(model.context),
        "safe": tokens(model.safe_context),
        "input": price(model.price.input),
        "output": price(model.price.output),
        "capabilities": tags(model),
        "status": "Enabled" if model.enabled else "Disabled",
        "limitation": limitations(model),
    }
    assert shown == {**row, "limitation": [TEXT_OF[row["limitation"]]]}
    assert "context" not in model.assumed
    assert not {"price", "role", "capabilities", "name", "enabled"} & model.assumed


PANELS = {"conflux/flux", "conflux/flux-fast", "conflux/flux-deep"}


def test_the_conflux_storefront_holds_the_documents_ids_and_its_own_panels_and_no_others(shipped: Catalogue) -> None:
    assert {model.id for model in shipped.models.values() if model.flux is not None} == PANELS
    documented = {row["id"] for row in ONE} | set(TWO["models"])
    assert {model.id for model in shipped.models_of("conflux")} == documented | PANELS


def test_a_panel_says_what_it_is_and_that_it_costs_what_all_cost(shipped: Catalogue) -> None:
    for name in PANELS:
        model = shipped.models["conflux", name]
        assert (model.role, model.pool, model.price.known, model.tier) == (FluxRole.FLUX, "", False, None)
        assert "draft" in model.description and "costs what all" in model.description


EFFORTS = {"low", "medium", "high", "xhigh"}


def test_effort_variants_fix_the_effort_their_id_says_on_one_upstream_model(shipped: Catalogue) -> None:
    variants = [model for model in shipped.models_of("conflux") if model.id.startswith("codex/")]
    assert len(variants) == 20
    for model in variants:
        base, _, effort = model.id.removeprefix("codex/").rpartition("-")
        assert effort in EFFORTS
        assert model.effort == effort
        assert model.account
        (target,) = shipped.pools[model.pool].targets
        assert (target.provider, target.model) == ("codex", base)
    assert all(model.effort is None and not model.account for model in shipped.models.values() if model not in variants)


def test_what_is_unknown_stays_unknown(shipped: Catalogue) -> None:
    kimi = found(shipped, "conflux", "nvidia/kimi-k2.6")
    assert (kimi.context, kimi.safe_context) == (None, 250_000)
    glm = found(shipped, "conflux", "glm/glm-5.1")
    assert (glm.context, glm.safe_context) == (None, None)


# --- document 2


@pytest.mark.parametrize("name", TWO["models"])
def test_the_ids_of_the_chat_document_run_on_the_conflux_storefront(shipped: Catalogue, name: str) -> None:
    model = found(shipped, "conflux", name)
    assert model.price.known
    assert {"context", "price", "capabilities", "max_output"} <= model.assumed


def test_request_defaults(shipped: Catalogue) -> None:
    face = shipped.storefronts["conflux"]
    assert (face.default_max_output, face.default_temperature) == (TWO["max_tokens"], TWO["temperature"])
    others = [one for one in shipped.storefronts.values() if one.id != "conflux"]
    assert all(one.default_max_output is None and one.default_temperature is None for one in others)


def test_every_model_has_a_tier_that_is_assumed_and_says_where_its_quality_comes_from(shipped: Catalogue) -> None:
    for model in shipped.models.values():
        if model.flux is not None:
            continue
        assert model.tier is not None and "tier" in model.assumed, model.id
        assert model.quality_source and (model.quality is not None) == (model.quality_source != "neutral"), model.id


def test_every_task_type_has_a_model_of_its_tier(shipped: Catalogue) -> None:
    tiers = {model.tier for model in shipped.models_of("conflux") if model.enabled and not model.account}
    assert {tier.lower() for tier in TWO["task_types"].values()} <= {tier.value for tier in tiers if tier is not None}


# --- document 3


@pytest.mark.parametrize("row", THREE["models"], ids=lambda row: row["name"])
def test_a_model_of_the_inference_api(shipped: Catalogue, row: dict[str, str]) -> None:
    (model,) = [one for one in shipped.models_of("inference") if one.name == row["name"]]
    assert model.owned_by == row["provider"]
    assert {"id", "context", "max_output", "price", "capabilities"} <= model.assumed
    assert not {"name", "owned_by"} & model.assumed
    assert None not in (model.context, model.max_output, model.price.input, model.price.output)
    assert any(target.provider == row["provider"] for target in shipped.pools[model.pool].targets)


def test_the_inference_storefront_holds_fifteen_models_and_its_margin_once(shipped: Catalogue) -> None:
    assert len(shipped.models_of("inference")) == 15
    assert {one.id: one.margin for one in shipped.storefronts.values() if one.margin != "1"} == {
        "inference": THREE["margin"]
    }


# --- document 4


@pytest.mark.parametrize("alias", FOUR["aliases"])
def test_an_alias_leads_to_a_canonical_model_whose_figures_are_assumed(shipped: Catalogue, alias: str) -> None:
    model = shipped.resolve("tokenflux", alias)
    assert model is not None
    assert model.id.endswith(f"/{alias}")
    assert {"context", "price", "capabilities"} <= model.assumed


def test_the_embedding_model_is_priced_in_its_own_currency_at_a_dated_rate(shipped: Catalogue) -> None:
    model = found(shipped, "tokenflux", "qwen/text-embedding-v4")
    assert per_million(model.price.input or 0) == "0.5"
    assert model.price.rate.currency == "CNY"
    assert model.price.rate.nano_usd > 0
    assert model.price.rate.date
    assert model.max_dimension == max(model.dimensions) == 2048


# --- document 5


@pytest.mark.parametrize("row", FIVE["models"], ids=lambda row: row["id"])
def test_a_model_of_llmbase(shipped: Catalogue, row: dict[str, str]) -> None:
    model = found(shipped, "llmbase", row["id"])
    assert f"{model.context:,}" == row["context"]
    assert per_million(model.price.input or 0) == exact(row["input"])
    assert per_million(model.price.output or 0) == exact(row["output"])
    assert not {"context", "price", "price.input", "price.output", "id"} & model.assumed
    assert model.max_output is not None
    assert "max_output" in model.assumed


def test_llmbase_holds_the_documents_ids_and_no_others(shipped: Catalogue) -> None:
    assert [model.id for model in shipped.models_of("llmbase")] == sorted(row["id"] for row in FIVE["models"])


CERTIFIED = {"json_mode": "json_mode", "json_schema": "structured_outputs", "reasoning": "reasoning"}


@pytest.mark.parametrize("row", FIVE["certified"], ids=lambda row: row["id"])
def test_the_structured_output_and_reasoning_table(shipped: Catalogue, row: dict[str, str]) -> None:
    model = found(shipped, "llmbase", row["id"])
    for column, capability in CERTIFIED.items():
        assert (Capability(capability) in model.capabilities) == (row[column] == "Yes")
        assert f"capabilities.{capability}" not in model.assumed
    assert "capabilities" not in model.assumed


def test_only_the_tables_models_advertise_all_three(shipped: Catalogue) -> None:
    three = {Capability(name) for name in CERTIFIED.values()}
    advertised = {model.id for model in shipped.models_of("llmbase") if three <= model.capabilities}
    assert advertised == {row["id"] for row in FIVE["certified"]}


def test_the_notes(shipped: Catalogue) -> None:
    for name, capabilities in FIVE["supports"].items():
        assert {Capability(one) for one in capabilities} <= found(shipped, "llmbase", name).capabilities
    models = shipped.models_of("llmbase")
    assert [one.id for one in models if Capability.LOGPROBS in one.capabilities] == ["z-ai/glm-5"]
    assert [one.id for one in models if Capability.FILES in one.capabilities] == FIVE["file_input"]
    assert [one.id for one in models if "file" in one.input_modalities] == FIVE["file_input"]
    assert [one.id for one in models if one.price.cache_read is not None] == FIVE["cache_read"]
    assert "price.cache_read" in found(shipped, "llmbase", FIVE["cache_read"][0]).assumed
    assert [one.id for one in models if not one.agent] == FIVE["not_for_agents"]
    for name in FIVE["tool_calling"]:
        model = found(shipped, "llmbase", name)
        assert Capability.TOOLS in model.capabilities
        assert not {"capabilities", "capabilities.tools"} & model.assumed


def test_parameters_and_features_do_not_contradict_each_other(shipped: Catalogue) -> None:
    needs = {
        "tools": {Capability.TOOLS},
        "tool_choice": {Capability.TOOLS},
        "response_format": {Capability.JSON_MODE, Capability.STRUCTURED_OUTPUTS},
        "reasoning_effort": {Capability.REASONING},
        "chat_template_kwargs": {Capability.REASONING},
        "logprobs": {Capability.LOGPROBS},
        "top_logprobs": {Capability.LOGPROBS},
    }
    for model in shipped.models_of("llmbase"):
        for parameter, any_of in needs.items():
            assert (parameter in model.supported_parameters) == bool(any_of & model.capabilities), (model.id, parameter)


# --- storefronts, pools, providers

FACES = {
    # id: mount, prefixes, test, agent, list shape, error style, billing, header prefix, echo, strict
    "conflux": ("/", ("cf_live_", "cf_test_"), ("cf_test_",), (), "openai", "conflux", "tier_credits", "conflux",
                "requested", False),
    "tokenflux": ("/tokenflux", ("tf_",), (), (), "tokenflux", "openai", "usd", "tokenflux", "upstream", False),
    "inference": ("/inference", ("inf_",), (), (), "inference", "inference", "token_credits", "inference",
                  "requested", False),
    "llmbase": ("/llmbase", ("llmbase_", "llmbase_chat_"), (), ("llmbase_chat_",), "llmbase", "openai", "usd",
                "llmbase", "requested", True),
}  # fmt: skip


def test_four_storefronts(shipped: Catalogue) -> None:
    said = {
        one.id: (one.mount, one.key_prefixes, one.test_prefixes, one.agent_prefixes, one.list_shape, one.error_style,
                 one.billing, one.header_prefix, one.model_echo, one.strict_capabilities)
        for one in shipped.storefronts.values()
    }  # fmt: skip
    assert said == FACES
    assert shipped.storefronts["inference"].allowed_origins == ("*",)


@pytest.mark.parametrize(
    ("secret", "storefront"),
    [("cf_live_x", "conflux"), ("cf_test_x", "conflux"), ("tf_x", "tokenflux"), ("inf_x", "inference"),
     ("llmbase_x", "llmbase"), ("llmbase_chat_x", "llmbase"), ("sk-x", None)],
)  # fmt: skip
def test_key_prefixes(shipped: Catalogue, secret: str, storefront: str | None) -> None:
    face = shipped.storefront_of_key(secret)
    assert (face.id if face is not None else None) == storefront


COMPAT_PROVIDERS = {"bd", "glm", "minimax", "nvidia", "codex", "openrouter"}


def test_the_documents_compat_providers_say_so(shipped: Catalogue) -> None:
    assert {one for one in COMPAT_PROVIDERS if shipped.providers[one].lane == "compat"} == COMPAT_PROVIDERS
    assert shipped.providers["openai"].lane == "auto"


@pytest.mark.parametrize(
    ("provider", "credential"),
    [("openai", "env:OPENAI_API_KEY"), ("anthropic", "env:ANTHROPIC_API_KEY"), ("gemini", "env:GEMINI_API_KEY"),
     ("openrouter", "env:OPENROUTER_API_KEY"), ("nvidia", "env:NVIDIA_API_KEY")],
)  # fmt: skip
def test_the_usual_variables_turn_providers_on(shipped: Catalogue, provider: str, credential: str) -> None:
    assert credential in shipped.providers[provider].credentials


def test_no_shipped_provider_is_the_owners_and_none_shares_a_credential(shipped: Catalogue) -> None:
    credentials = [one for provider in shipped.providers.values() for one in provider.credentials]
    assert len(credentials) == len(set(credentials))
    assert not any(provider.configured for provider in shipped.providers.values())
    keyless = {one.id for one in shipped.providers.values() if not one.credentials}
    assert keyless == {"codex", "ollama", "vllm", "llama.cpp", "lm-studio"}


def test_pools_are_shared_between_storefronts_and_none_is_idle(shipped: Catalogue) -> None:
    faces: dict[str, set[str]] = {}
    for model in shipped.models.values():
        if model.flux is None:
            faces.setdefault(model.pool, set()).add(model.storefront)
    assert set(faces) == set(shipped.pools)
    for pool in ("deepseek-v4-pro", "glm-5.1", "kimi-k2.5", "kimi-k2.6", "qwen3.5-397b"):
        assert {"conflux", "llmbase"} <= faces[pool]


def test_every_enabled_model_can_be_billed(shipped: Catalogue) -> None:
    chats = [model for model in shipped.models.values() if model.kind == "chat" and model.flux is None]
    assert [model.id for model in chats if not model.price.known] == []
