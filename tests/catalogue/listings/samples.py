"""Lists as clients read them, and what the documents say a field's type is."""

import json
from collections.abc import Iterable
from typing import Any

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import Asks, choose
from conflux.catalogue.listings.pages import Encoder
from conflux.catalogue.listings.row import Row
from tests.catalogue.samples import built

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (float,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}

NOTHING = Asks()


def has_types(found: dict[str, Any], documented: dict[str, str]) -> None:
    for field, names in documented.items():
        allowed = tuple(one for name in names.split("|") for one in TYPES[name])
        assert type(found[field]) in allowed, (field, found[field])


def same(found: Any, documented: Any, where: str = "") -> None:
    """Equal in every value and every type: 1 is not 1.0 and not true."""
    assert type(found) is type(documented), (where, found)
    if isinstance(documented, dict):
        assert list(found) == list(documented), where
        for name, value in documented.items():
            same(found[name], value, f"{where}.{name}")
    elif isinstance(documented, list):
        assert len(found) == len(documented), where
        for number, value in enumerate(documented):
            same(found[number], value, f"{where}[{number}]")
    else:
        assert found == documented, where


def rows(catalogue: Catalogue, storefront: str) -> list[Row]:
    return [Row(model) for model in catalogue.models_of(storefront)]


def listed(
    catalogue: Catalogue, storefront: str, asks: Asks = NOTHING, *, anthropic: bool = False, **query: str
) -> Any:
    view = choose(SHAPES, catalogue.storefronts[storefront], asks, query, anthropic=anthropic)
    encoder, shown = Encoder(SHAPES), rows(catalogue, storefront)
    paged = SHAPES[view.shape].paged
    return json.loads(encoder.page(view, shown, query, paged) if paged else encoder.list(view, shown))


def by_id(answer: Any) -> dict[str, Any]:
    return {row["id"]: row for row in answer["data"]}


def ids(found: Iterable[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in found]


def rendered(shape: str, model: dict[str, Any]) -> Any:
    """One model of a small catalogue, in a shape."""
    answer = listed(built(storefront={"list_shape": shape}, model=model), "shop")
    (row,) = answer.get("data") or answer["models"]
    return row
