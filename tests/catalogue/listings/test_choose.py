"""Which list was asked for: by the storefront's data, the path, the query and one header."""

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import FILTERS, LISTS, Asks, View, choose
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Storefront
from tests.catalogue.listings.samples import NOTHING


def chosen(shape: str, asks: Asks = NOTHING, *, anthropic: bool = False, **query: str) -> View:
    face = Storefront(id="s", name="S", mount="/", list_shape=shape)
    return choose(SHAPES, face, asks, query, anthropic=anthropic)


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (chosen("openai"), View("openai")),
        (chosen("openai", filter="agents"), View("openai", agents=True)),
        (chosen("openai", client_version="0.1"), View("openai", extra=True)),
        (chosen("openai", metadata="true"), View("openai")),  # has it all anyhow
        (chosen("llmbase", metadata="true"), View("llmbase", rich=True)),
        (chosen("llmbase", metadata="false"), View("llmbase")),
        (chosen("llmbase", metadata=""), View("llmbase")),
        (chosen("llmbase", LISTS["/v1/model-metadata"]), View("llmbase", rich=True)),
        (chosen("tokenflux", LISTS["/api/v1/agents/models"]), View("tokenflux", agents=True)),
        (chosen("tokenflux", filter="cheap", metadata="true", client_version="1"), View("tokenflux")),
        (chosen("inference", filter="cheap"), View("inference")),
        (chosen("inference", LISTS["/models"]), View("inference")),
        (chosen("inference", LISTS["/v1/models"]), View("openai")),
        (chosen("tokenflux", LISTS["/v1/models"]), View("tokenflux")),
        (chosen("llmbase", anthropic=True, metadata="true", client_version="1"), View("anthropic")),
        (chosen("anthropic"), View("anthropic")),
    ],
)
def test_the_view(view: View, found: View) -> None:
    assert view == found


@pytest.mark.parametrize("shape", ["openai", "llmbase"])
@pytest.mark.parametrize("wanted", ["cheap", "", "AGENTS", "x" * 10_000])
def test_an_unknown_filter_is_refused_where_filters_are_read(shape: str, wanted: str) -> None:
    with pytest.raises(GatewayError) as caught:
        chosen(shape, filter=wanted)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "filter")
    assert "agents" in caught.value.message and len(caught.value.message) < 300


def test_agents_are_the_chat_models_with_tools_unless_a_row_says_not(shipped: Catalogue) -> None:
    for model in shipped.models.values():
        assert FILTERS["agents"](model) == (model.kind == "chat" and "tools" in model.capabilities)
