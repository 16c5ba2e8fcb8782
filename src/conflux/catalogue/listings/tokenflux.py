"""The TokenFlux shape (document 4), field by field.

Law: an unknown price is an empty string, an unknown time of creation is 0, and only embedding models have dimensions.
"""

from conflux.catalogue.listings.prices import pricing
from conflux.catalogue.listings.row import Rendered, Row, Shape, owner
from conflux.neutral.records import Model


def _modality(model: Model) -> str:
    if model.modality is not None:
        return model.modality
    return "+".join(model.input_modalities) + "->" + "+".join(model.output_modalities)


def tokenflux(row: Row) -> Rendered:
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
        "model_provider": owner(model),
    }
    if model.kind == "embedding":
        found["dimensions"] = model.dimensions
        if model.max_dimension is not None:
            found["max_dimension"] = model.max_dimension
    return found


SHAPE = Shape(tokenflux)
