"""What a caller would rather have: cheap, quick or good.

Law: data. A preset says what a second, a failure and bad quality are worth beside money; one unit for all of it.
"""

import msgspec

from conflux.neutral.errors import GatewayError, Kind

USD = 1_000_000_000  # nano-USD


class Preset(msgspec.Struct, frozen=True):
    name: str
    second: float  # nano-USD that a second of waiting is worth
    failure: float  # nano-USD that a failed answer costs its caller
    quality: float  # how much of what quality is worth to the task counts


BALANCED = "balanced"
PRESETS: dict[str, Preset] = {
    one.name: one
    for one in (
        Preset("cost", 0.0001 * USD, 0.005 * USD, 0.2),
        Preset(BALANCED, 0.001 * USD, 0.02 * USD, 1.0),
        Preset("speed", 0.01 * USD, 0.02 * USD, 0.5),
        Preset("quality", 0.0003 * USD, 0.02 * USD, 10.0),
    )
}


def preset_named(name: object, where: str = "prefer") -> Preset:
    """`where`: the field or header that says so."""
    found = PRESETS.get(name) if isinstance(name, str) else None
    if found is None:
        said = repr(name)[:80]
        raise GatewayError(Kind.INVALID, f"{where}: {said} is not one of {', '.join(PRESETS)}", param=where)
    return found
