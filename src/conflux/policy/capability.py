"""The capability gate: a request is not sent to a model that is known not to serve it.

Law: three answers. Yes passes, no is refused by parameter and model. Unknown passes, except on a strict storefront,
where what is not advertised is refused.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.records import Capability, Model
from conflux.neutral.request import Need
from conflux.policy.case import Case

# need: the capability that meets it, and the parameter a refusal names
MEETS: dict[Need, tuple[Capability, Field]] = {
    Need.TOOLS: (Capability.TOOLS, Field.TOOLS),
    Need.VISION: (Capability.VISION, Field.MESSAGES),
    Need.FILES: (Capability.FILES, Field.MESSAGES),
    Need.AUDIO: (Capability.AUDIO, Field.MESSAGES),
    Need.JSON_MODE: (Capability.JSON_MODE, Field.FORMAT),
    Need.STRUCTURED_OUTPUTS: (Capability.STRUCTURED_OUTPUTS, Field.FORMAT_SCHEMA),
    Need.REASONING: (Capability.REASONING, Field.EFFORT),
    Need.LOGPROBS: (Capability.LOGPROBS, Field.LOGPROBS),
    Need.WEB_SEARCH: (Capability.WEB_SEARCH, Field.SEARCH),
    Need.COMPLETIONS: (Capability.COMPLETIONS, Field.MODEL),
}

# Every catalogue states these for a chat model, so their absence is a statement too.
_STATED = frozenset({Capability.TOOLS, Capability.VISION, Capability.AUDIO, Capability.COMPLETIONS})


def answers(model: Model, need: Need) -> bool | None:
    """Does the model meet the need: yes, no, or nobody has said."""
    found = MEETS.get(need)
    if found is None:
        return None
    capability = found[0]
    if capability in model.capabilities:
        return True
    if model.strict or capability in _STATED:
        return False
    return None


def check_capability(case: Case) -> None:
    model = case.model
    if model.kind != case.envelope.kind:
        raise GatewayError(
            Kind.UNSUPPORTED,
            f"{model.id} is no {case.envelope.kind} model but of the family {model.kind!r}: {_pointer(model.kind)}",
            param="model",
        )
    for need in sorted(case.envelope.needs):
        if answers(model, need) is False:
            instead = "use POST /v1/chat/completions" if need is Need.COMPLETIONS else (
                "leave it out of {field}" if MEETS[need][1] is Field.MESSAGES else "leave {field} out")  # fmt: skip
            text = f"{model.id} does not support {need.value}: {instead}, or choose a model that advertises it"
            raise Refused(Kind.UNSUPPORTED, MEETS[need][1], text)


def _pointer(kind: str) -> str:
    if kind == "chat":
        return "use POST /v1/chat/completions"
    if kind == "embedding":
        return "use POST /v1/embeddings"
    return "it has no endpoint on this gateway"
