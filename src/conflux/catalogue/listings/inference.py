"""The Inference API's shape (document 3): nine fields, credits per 1,000 tokens.

Law: the sheet holds the storefront's margin already; nothing is multiplied here. The document knows `/models` only;
below /v1 OpenAI's clients read what they expect.
"""

from conflux.catalogue.listings.prices import per_thousand
from conflux.catalogue.listings.row import Rendered, Row, Shape
from conflux.neutral.records import Capability


def inference(row: Row) -> Rendered:
    model = row.model
    return {
        "id": model.id,
        "name": model.name,
        "provider": model.owned_by,
        "context_window": model.context,
        "max_output_tokens": model.max_output,
        "cost_per_1k_input": per_thousand(model.price.input),
        "cost_per_1k_output": per_thousand(model.price.output),
        "supports_tools": Capability.TOOLS in model.capabilities,
        "supports_vision": Capability.VISION in model.capabilities,
    }


SHAPE = Shape(inference, head=b'{"models":[', on_v1="openai")
