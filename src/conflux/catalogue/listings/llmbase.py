"""The LLMBase shapes (document 5): the basic list, and the rich one that ?metadata=true asks for.

Law: the rich row is the basic one and more. A cache-read price that is not known is left out, not stated empty.
"""

from conflux.catalogue.listings.codex import codex
from conflux.catalogue.listings.prices import price
from conflux.catalogue.listings.row import Rendered, Row, Shape, features, owner


def basic(row: Row) -> Rendered:
    model = row.model
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": owner(model),
        "name": model.name,
        "description": model.description,
        "context_length": model.context,
    }


def rich(row: Row) -> Rendered:
    model, sheet = row.model, row.model.price
    prices = {"prompt": price(sheet, "input"), "completion": price(sheet, "output")}
    if sheet.cache_read is not None:
        prices["input_cache_read"] = price(sheet, "cache_read")
    return {
        **basic(row),
        "max_output_length": model.max_output,
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "pricing": prices,
        "supported_parameters": model.supported_parameters,
        "supported_features": features(model),
    }


SHAPE = Shape(basic, rich=rich, filters=True, extra=("models", codex))
