"""From a call to an admitted request: parsed, resolved, allowed, fitted, priced.

Law: nothing here waits but the key's look-up, and nothing here touches an upstream or the ledger. Whatever it
refuses has cost nobody anything.
"""

from typing import NamedTuple

import msgspec

from conflux.billing.amounts import Hold, Unpriced, worst_case
from conflux.billing.estimate import conversation_tokens
from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope, Need
from conflux.policy import RULES
from conflux.policy.capability import answers
from conflux.policy.case import Case
from conflux.policy.context import ROOM_FOR_ANSWER, room
from conflux.policy.permitted import unknown_model
from conflux.relay.identify import identify
from conflux.relay.parts import Incoming, Parts
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.relay.standing import standing_of, verdict_of
from conflux.routing.tasks import Task, cheapest, task_named

# Until a tokenizer counts, the gate takes a third of the bytes: English runs at a quarter, code at a third.
_BYTES_PER_TOKEN = 3


class Fallback(msgspec.Struct, frozen=True, kw_only=True):
    """Another model serves than the one that was to."""

    asked: Model
    reason: str
    chain: tuple[str, ...]  # of ids, the model asked for first, the one that serves last


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    caller: Caller
    storefront: Storefront
    dialect: Dialect
    envelope: Envelope
    model: Model
    requested: str  # what the client named: a model id, an alias, or the task type's choice
    task: Task | None
    targets: tuple[LiveTarget, ...]
    max_output: int
    temperature: float | None
    hold: Hold
    simulated: bool
    conversation: int | None = None  # its tokens by our own count; None: not counted, since only a stream needs it now
    substituted: bool = False  # a rule for coding agents chose another model than the one named
    fallback: Fallback | None = None
    dropped: tuple[str, ...] = ()


def estimate_tokens(size: int) -> int:
    return -(-size // _BYTES_PER_TOKEN)


def expected_tokens(admitted: Admitted) -> int:
    """What a request will about use, for rate limits: its input, and what it asks for or an answer's usual room."""
    wanted = admitted.envelope.max_output or ROOM_FOR_ANSWER
    return estimate_tokens(admitted.envelope.size) + min(wanted, admitted.max_output) * admitted.envelope.choices


class _Judged(NamedTuple):
    """A request that is allowed, whether or not it fits."""

    envelope: Envelope
    model: Model
    requested: str
    task: Task | None
    substituted: bool
    live: tuple[LiveTarget, ...]
    simulated: bool
    free: bool


def _judge(
    parts: Parts, snapshot: Snapshot, caller: Caller, storefront: Storefront, dialect: Dialect, incoming: Incoming
) -> _Judged:
    envelope = dialect.open(incoming.body, incoming.place)
    model, requested, task, substituted = _resolve(snapshot, caller, storefront, envelope, incoming.headers)
    live = snapshot.targets(model, test=caller.test)
    simulated = bool(live) and live[0].live.provider.simulated
    free = caller.test or simulated
    case = Case(caller, storefront, model, envelope, parts.clock.time(), free=free)
    for rule in RULES:
        rule(case)
    return _Judged(envelope, model, requested, task, substituted, live, simulated, free)


async def count(parts: Parts, incoming: Incoming) -> tuple[Storefront, int]:
    """About how many tokens a request has, as the gate for the safe context counts them: allowed like the request
    itself, and free."""
    snapshot = parts.snapshot()
    caller, storefront = await identify(parts, snapshot, incoming.secret, incoming.mount)
    judged = _judge(parts, snapshot, caller, storefront, DIALECTS[incoming.dialect], incoming)
    return storefront, estimate_tokens(judged.envelope.size)


def admit(
    parts: Parts, snapshot: Snapshot, caller: Caller, storefront: Storefront, dialect: Dialect, incoming: Incoming
) -> Admitted:
    judged = _judge(parts, snapshot, caller, storefront, dialect, incoming)
    envelope, model, live = judged.envelope, judged.model, judged.live
    fitted = room(
        model,
        input_tokens=estimate_tokens(envelope.size if envelope.widest is None else envelope.widest),
        wanted=envelope.max_output,
        default=storefront.default_max_output if _takes(model, "max_tokens") else None,
    )
    if not live and model.account:
        raise GatewayError(
            Kind.ACCOUNT_NEEDED, f"{model.id} runs on a connected account, and none is signed in", param="model"
        )
    if not live and not storefront.fallback:
        raise GatewayError(
            Kind.UNAVAILABLE, f"{model.id} has no live target now: try another model, or later", param="model"
        )
    # Only a stream is ever settled by another process than the one that read it.
    conversation = conversation_tokens(envelope.body, envelope.images) if envelope.stream else None
    return Admitted(
        caller=caller,
        storefront=storefront,
        dialect=dialect,
        envelope=envelope,
        model=model,
        requested=judged.requested,
        task=judged.task,
        targets=live,
        max_output=fitted.max_output,
        temperature=storefront.default_temperature if _takes(model, "temperature") else None,
        hold=_hold(model, envelope, fitted.max_output, conversation or 0, free=judged.free),
        conversation=conversation,
        simulated=judged.simulated,
        substituted=judged.substituted,
        dropped=("max_tokens",) if fitted.clamped else (),
    )


def _resolve(
    snapshot: Snapshot, caller: Caller, storefront: Storefront, envelope: Envelope, headers: Headers
) -> tuple[Model, str, Task | None, bool]:
    if "flux" in envelope.body:
        raise invalid("flux: this gateway does not run Flux yet; name one model", param="flux")
    standing = standing_of(snapshot, caller, storefront, headers)
    if envelope.model is not None:
        if envelope.task_type is not None:
            raise invalid("send model or task_type, not both", param="task_type")
        verdict = verdict_of(standing, snapshot, caller, storefront, envelope.model)
        if verdict.served is None:
            raise unknown_model(envelope.model)
        return verdict.served, envelope.model, None, verdict.instead
    if envelope.task_type is None:
        raise invalid("send model or task_type: one of them says what is to answer", param="model")
    task = task_named(envelope.task_type)
    models = [one for one in standing.own if all(answers(one, need) is not False for need in envelope.needs)]
    model = cheapest(task, models, tools=Need.TOOLS in envelope.needs)
    return model, model.id, task, False


def _takes(model: Model, parameter: str) -> bool:
    """An empty list means not published, which gates nothing."""
    return not model.supported_parameters or parameter in model.supported_parameters


def _hold(model: Model, envelope: Envelope, max_output: int, least_input: int, *, free: bool) -> Hold:
    try:
        return worst_case(
            model.price,
            input_tokens=envelope.size,
            output_tokens=max_output,
            choices=envelope.choices,
            images=envelope.images,
            searches=Need.WEB_SEARCH in envelope.needs,
            least_input=least_input,
        )
    except Unpriced:
        if free:
            return Hold(0, 0)
        raise
