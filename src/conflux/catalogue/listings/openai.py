"""The root's superset: OpenAI's base, TokenFlux's metadata, LLMBase's names, the system catalogue's own words.

Law: a client of any of these documents finds here what it looks for, under the name it knows.
"""

from conflux.catalogue.limitations import limitations
from conflux.catalogue.listings.codex import codex
from conflux.catalogue.listings.row import Rendered, Row, Shape, features, owner
from conflux.catalogue.listings.tokenflux import tokenflux


def openai(row: Row) -> Rendered:
    model = row.model
    return {
        "object": "model",
        "owned_by": owner(model),
        **tokenflux(row),
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


SHAPE = Shape(openai, filters=True, extra=("models", codex))
