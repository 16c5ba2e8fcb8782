"""Which list was asked for: the storefront's own shape, what the path says, and the few words of the query.

Law: a query parameter that nobody knows is ignored; a filter that nobody knows is refused where filters are read.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from conflux.catalogue.listings.row import Shape
from conflux.neutral.errors import invalid
from conflux.neutral.records import Model, Storefront


class Asks(NamedTuple):
    """What a path asks for by itself."""

    v1: bool = False
    rich: bool = False
    agents: bool = False
    shape: str = ""  # whatever the storefront's own is


# the paths below a mount that show models, each also with /{id}
LISTS: dict[str, Asks] = {
    "/v1/models": Asks(v1=True),
    "/models": Asks(),
    "/v1/model-metadata": Asks(v1=True, rich=True),
    "/api/v1/agents/models": Asks(agents=True),
    "/v1beta/models": Asks(shape="google"),
}


class View(NamedTuple):
    """One way to show a set of models; equal views of equal sets are the same bytes."""

    shape: str
    rich: bool = False
    agents: bool = False
    extra: bool = False


# what ?filter= may say, and which models it keeps
FILTERS: dict[str, Callable[[Model], bool]] = {"agents": lambda model: model.agent}


def choose(
    shapes: Mapping[str, Shape], storefront: Storefront, asks: Asks, query: Mapping[str, str], *, anthropic: bool
) -> View:
    name = asks.shape or ("anthropic" if anthropic else storefront.list_shape)
    if asks.v1:
        name = shapes[name].on_v1 or name
    shape = shapes[name]
    wanted = query.get("filter") if shape.filters else None
    if wanted is not None and wanted not in FILTERS:
        raise invalid(f"filter {wanted[:80]!r} is not known: use {' or '.join(FILTERS)}, or leave it out", "filter")
    return View(
        name,
        rich=shape.rich is not None and (asks.rich or query.get("metadata", "").lower() in ("true", "1")),
        agents=asks.agents or wanted == "agents",
        extra=shape.extra is not None and "client_version" in query,
    )
