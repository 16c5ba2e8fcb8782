"""What was found out of targets, put into the models that stand before them.

Law: what the catalogue states is never touched. What it leaves open or only assumes (`assumed`, or a row that lists no
capabilities) follows the findings of all the live targets behind it: every one a yes, and it can; one no, and it
cannot; else it stays as it is.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability, Model
from conflux.relay.snapshot import LiveTarget
from conflux.routing.probing import EXAMINATIONS

_ALL = "capabilities"


def stated(model: Model, capability: Capability) -> bool | None:
    """What the catalogue says; None: it leaves that open."""
    if _ALL in model.assumed or f"{_ALL}.{capability.value}" in model.assumed:
        return None
    return capability in model.capabilities


def with_findings(
    models: Iterable[Model], targets: Callable[[str], Iterable[LiveTarget]], findings: Iterable[Finding]
) -> list[Model]:
    """`targets`: the live ones of a pool."""
    holds = {(one.target, one.capability): one.holds for one in findings}
    return [_with(model, list(targets(model.pool)), holds) if holds else model for model in models]


def _with(model: Model, targets: list[LiveTarget], holds: dict[tuple[str, Capability], bool | None]) -> Model:
    keys = [one.key for one in targets if not one.live.provider.simulated]
    if not keys or model.kind != "chat":
        return model
    found = model.capabilities
    for capability in EXAMINATIONS:
        if stated(model, capability) is None:
            said = [holds.get((key, capability)) for key in keys]
            if False in said:
                found -= {capability}
            elif all(said):
                found |= {capability}
    if found == model.capabilities:
        return model
    shown = [one for one in model.input_modalities if one != "image"]
    if Capability.VISION in found:
        shown.insert(1, "image")
    return replace(model, capabilities=found, input_modalities=tuple(shown))
