"""What a model's row cannot promise, by rule.

Law: five texts, each with one reason; a row is never given a text by hand. Disabled outranks everything.
"""

from conflux.neutral.records import Model

DISABLED = "An admin has switched this model off; it is not offered until somebody switches it on."
ACCOUNT = "Needs an entitlement from an admin and a connected account that is signed in before it can run."
OPENROUTER = "Served by way of OpenRouter: answers are translated and buffered here, not passed straight through."
COMPAT = "A custom OpenAI-compatible provider: answers travel the compat lane unless a passthrough is set up for it."
PROBED = "Whether it sees images is probed on the route in use and can differ between cloud and local variants."


def limitations(model: Model) -> list[str]:
    if not model.enabled:
        return [DISABLED]
    if model.account:
        return [ACCOUNT]
    if model.provider_label == "OpenRouter":
        return [OPENROUTER]
    if model.lane == "compat":
        return [COMPAT]
    if model.provider_label == "Built-in":
        return [PROBED]
    return []
