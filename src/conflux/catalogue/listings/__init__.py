"""Lists of models, one renderer per shape.

Law: a shape is one file and one line of the table below, and a storefront names its own in its data. Adding one
touches nothing else.
"""

from conflux.catalogue.listings import anthropic, google, inference, llmbase, openai, tokenflux
from conflux.catalogue.listings.row import Shape

SHAPES: dict[str, Shape] = {
    "openai": openai.SHAPE,
    "tokenflux": tokenflux.SHAPE,
    "llmbase": llmbase.SHAPE,
    "inference": inference.SHAPE,
    "anthropic": anthropic.SHAPE,
    "google": google.SHAPE,
}
