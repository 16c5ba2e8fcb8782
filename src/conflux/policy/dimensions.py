"""An embedding of a size the model makes.

Law: where a model states its dimensions, another one is refused with the list; where it states none, its provider says.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.policy.case import Case


def check_dimensions(case: Case) -> None:
    wanted, model = case.envelope.dimensions, case.model
    if wanted is None:
        return
    if model.dimensions and wanted not in model.dimensions:
        listed = ", ".join(map(str, model.dimensions))
        raise GatewayError(Kind.INVALID, f"dimensions: {model.id} makes {listed}, not {wanted}", param="dimensions")
    if model.max_dimension is not None and wanted > model.max_dimension:
        raise GatewayError(
            Kind.INVALID,
            f"dimensions: {model.id} makes at most {model.max_dimension}, not {wanted}",
            param="dimensions",
        )
