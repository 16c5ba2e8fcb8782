"""What several shapes say in the same words."""

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.row import features, owner
from conflux.neutral.records import Capability, Model


def test_features_are_named_in_one_order_and_tags_are_none() -> None:
    model = Model(storefront="s", id="m", name="M", pool="p", capabilities=frozenset(Capability))
    assert features(model) == ["tools", "json_mode", "structured_outputs", "reasoning", "logprobs", "web_search"]


def test_who_owns_a_model_is_said_or_begins_its_id(shipped: Catalogue) -> None:
    assert owner(shipped.models["tokenflux", "openai/gpt-4o"]) == "openai"
    assert owner(shipped.models["conflux", "nvidia/kimi-k2.6"]) == "nvidia"
    assert owner(shipped.models["conflux", "gpt-4o-mini"]) == "conflux"
