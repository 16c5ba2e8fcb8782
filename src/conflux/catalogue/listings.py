"""Lists of models, one renderer per shape.

Law: a shape is one function in one table. Renderers only render: which rows there are was decided by whoever calls,
and by the query's own filter. Prices come from the one exact sheet; an unknown price is "" and zero is "0".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from conflux.catalogue.limitations import limitations
from conflux.neutral.errors import invalid
from conflux.neutral.money import PriceSheet, format_scaled
from conflux.neutral.records import Capability, Model, Storefront


class Row(msgspec.Struct, frozen=True):
    """A model as one caller may see it."""

    model: Model
    status: str  # enabled | account_needed


Rendered = dict[str, Any]
Renderer = Callable[[Storefront, Row], Rendered]

# the names of seed 4's price fields, and the sheet's
_PRICES = (
    ("prompt", "input"),
    ("completion", "output"),
    ("input_cache_read", "cache_read"),
    ("input_cache_write", "cache_write_5m"),
    ("request", "request"),
    ("image", "image"),
    ("web_search", "search"),
    ("internal_reasoning", "reasoning"),
)
_PER_ITEM = frozenset({"request", "image", "search"})
_FEATURES = (
    Capability.TOOLS,
    Capability.JSON_MODE,
    Capability.STRUCTURED_OUTPUTS,
    Capability.REASONING,
    Capability.LOGPROBS,
    Capability.WEB_SEARCH,
)


def _price(sheet: PriceSheet, field: str, unit: int) -> str:
    value: int | None = getattr(sheet, field)
    if value is None:
        return ""
    return format_scaled(value if field in _PER_ITEM else value * unit, 12)


def pricing(model: Model) -> Rendered:
    found: Rendered = {name: _price(model.price, field, model.unit) for name, field in _PRICES}
    found.update(model.listed_prices)
    found["unit"] = model.unit
    found["currency"] = model.price.rate.currency
    found["volumes"] = []
    return found


def _modality(model: Model) -> str:
    if model.modality is not None:
        return model.modality
    return "+".join(model.input_modalities) + "->" + "+".join(model.output_modalities)


def _owner(model: Model) -> str:
    return model.owned_by or (model.id.split("/")[0] if "/" in model.id else "conflux")


def tokenflux(storefront: Storefront, row: Row) -> Rendered:
    """Seed 4, field by field."""
    model = row.model
    found: Rendered = {
        "id": model.id,
        "canonical_slug": model.canonical_slug or model.id,
        "hugging_face_id": model.hugging_face_id,
        "name": model.name,
        "type": model.kind,
        "created": model.created,
        "description": model.description,
        "context_length": model.context,
        "architecture": {
            "modality": _modality(model),
            "input_modalities": model.input_modalities,
            "output_modalities": model.output_modalities,
            "tokenizer": model.tokenizer or "",
            "instruct_type": model.instruct_type,
        },
        "pricing": pricing(model),
        "supported_parameters": model.supported_parameters,
        "model_provider": _owner(model),
    }
    if model.kind == "embedding":
        found["dimensions"] = model.dimensions
        if model.max_dimension is not None:
            found["max_dimension"] = model.max_dimension
    return found


def openai(storefront: Storefront, row: Row) -> Rendered:
    """The root's superset: OpenAI's base, seed 4's metadata, seed 5's names, seed 1's words."""
    model = row.model
    return {
        "object": "model",
        "owned_by": _owner(model),
        **tokenflux(storefront, row),
        "max_output_length": model.max_output,
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "supported_features": features(model),
        "role": model.role,
        "tier": model.tier,
        "safe_context_length": model.safe_context,
        "status": row.status,
        "limitations": limitations(model),
    }


def features(model: Model) -> list[str]:
    return [one.value for one in _FEATURES if one in model.capabilities]


def llmbase_basic(storefront: Storefront, row: Row) -> Rendered:
    """Seed 5, the basic shape."""
    model = row.model
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": _owner(model),
        "name": model.name,
        "description": model.description,
        "context_length": model.context,
    }


def llmbase_rich(storefront: Storefront, row: Row) -> Rendered:
    """Seed 5 with ?metadata=true."""
    model, sheet = row.model, row.model.price
    prices = {"prompt": _price(sheet, "input", 1), "completion": _price(sheet, "output", 1)}
    if sheet.cache_read is not None:
        prices["input_cache_read"] = _price(sheet, "cache_read", 1)
    return {
        **llmbase_basic(storefront, row),
        "max_output_length": model.max_output,
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "pricing": prices,
        "supported_parameters": model.supported_parameters,
        "supported_features": features(model),
    }


def inference(storefront: Storefront, row: Row) -> Rendered:
    """Seed 3: nine fields, credits per 1,000 tokens; the sheet holds the storefront's margin already."""
    model = row.model
    return {
        "id": model.id,
        "name": model.name,
        "provider": model.owned_by,
        "context_window": model.context,
        "max_output_tokens": model.max_output,
        "cost_per_1k_input": _per_thousand(model.price.input),
        "cost_per_1k_output": _per_thousand(model.price.output),
        "supports_tools": Capability.TOOLS in model.capabilities,
        "supports_vision": Capability.VISION in model.capabilities,
    }


def _per_thousand(pico: int | None) -> float | None:
    """The seed documents a float; it is made from the exact figure at the last moment, and only for showing."""
    return None if pico is None else float(format_scaled(pico * 1000, 12))


SHAPES: dict[str, Renderer] = {
    "openai": openai,
    "tokenflux": tokenflux,
    "llmbase": llmbase_basic,
    "llmbase_rich": llmbase_rich,
    "inference": inference,
}


# what ?filter= may say, and which models it keeps
FILTERS: dict[str, Callable[[Model], bool]] = {"agents": lambda model: model.agent}


def shape_of(storefront: Storefront, query: Mapping[str, str]) -> str:
    if storefront.list_shape == "llmbase" and query.get("metadata") == "true":
        return "llmbase_rich"
    return storefront.list_shape


def select(storefront: Storefront, rows: Sequence[Row], query: Mapping[str, str]) -> Sequence[Row]:
    """The rows a query's filter keeps. Only seed 5 documents one; elsewhere it is a parameter nobody knows."""
    wanted = query.get("filter")
    if wanted is None or storefront.list_shape != "llmbase":
        return rows
    keep = FILTERS.get(wanted)
    if keep is None:
        raise invalid(f"filter {wanted[:80]!r} is not known: use {' or '.join(FILTERS)}, or leave it out", "filter")
    return [row for row in rows if keep(row.model)]


def render_list(storefront: Storefront, rows: Sequence[Row], query: Mapping[str, str]) -> bytes:
    shape = shape_of(storefront, query)
    rendered = [SHAPES[shape](storefront, row) for row in select(storefront, rows, query)]
    if shape == "inference":
        return msgspec.json.encode({"models": rendered})
    return msgspec.json.encode({"object": "list", "data": rendered})


def render_one(storefront: Storefront, row: Row, query: Mapping[str, str] | None = None) -> bytes:
    return msgspec.json.encode(SHAPES[shape_of(storefront, query or {})](storefront, row))
