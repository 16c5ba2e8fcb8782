"""What a model's row cannot promise, by rule.

Law: five texts, each with one reason; a row is never given a text by hand. Disabled outranks everything.
"""

from collections.abc import Iterable

import msgspec

from conflux.neutral.records import Model, Pool, Provider

DISABLED = "An admin has switched this model off; it is not offered until somebody switches it on."
ACCOUNT = "Needs an entitlement from an admin and a connected account that is signed in before it can run."
OPENROUTER = "Served by way of OpenRouter: answers are translated and buffered here, not passed straight through."
COMPAT = "A custom OpenAI-compatible provider: answers travel the compat lane unless a passthrough is set up for it."
PROBED = "Whether it sees images is probed on the route in use and can differ between cloud and local variants."

BUILT_IN = "Built-in"
BY_OPENROUTER = "OpenRouter"


def limitations(model: Model) -> list[str]:
    if not model.enabled:
        return [DISABLED]
    if model.account:
        return [ACCOUNT]
    if model.provider_label == BY_OPENROUTER and model.buffered:
        return [OPENROUTER]
    if model.lane == "compat":
        return [COMPAT]
    if model.provider_label == BUILT_IN:
        return [PROBED]
    return []


def with_lanes(models: Iterable[Model], pools: Iterable[Pool], providers: Iterable[Provider]) -> list[Model]:
    """What the providers' lanes mean for the models: an owner who sets the providers of a model to `auto` takes the
    compat tag and both buffering texts away."""
    lanes = {provider.id: provider.lane for provider in providers}
    compat = {pool.id for pool in pools if any(lanes.get(target.provider) == "compat" for target in pool.targets)}
    return [
        msgspec.structs.replace(
            model, buffered=model.pool in compat, lane=model.lane if model.pool in compat else "auto"
        )
        for model in models
    ]
