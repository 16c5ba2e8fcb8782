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
from conflux.policy.context import ROOM_FOR_ANSWER, Room, room
from conflux.policy.permitted import unknown_model
from conflux.relay.identify import identify
from conflux.relay.parts import Incoming, Parts
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.relay.standing import standing_of, verdict_of
from conflux.routing.gauge import Counted
from conflux.routing.tasks import Task, cheapest, task_named

# A conversation whose bytes are less than this part of the safe context is not worth counting.
_SMALL_PART = 8
# An answer that nobody gave a length is not worth counting for while it has this much room.
_AMPLE = 8192


class Uncounted(Exception):
    """Whether this request fits is not settled by its bytes."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__("to be counted")
        self.envelope = envelope


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
    conversation: int | None = None  # its tokens by our own estimate; None: not made, since only a stream needs it now
    counted: Counted | None = None  # by a tokenizer, where its bytes left open whether it fits
    substituted: bool = False  # a rule for coding agents chose another model than the one named
    fallback: Fallback | None = None
    dropped: tuple[str, ...] = ()
    tight: bool = False  # the hold goes by counted tokens


def expected_tokens(parts: Parts, admitted: Admitted) -> int:
    """What a request will about use, for rate limits: its input, and what it asks for or an answer's usual room."""
    wanted = admitted.envelope.max_output or ROOM_FOR_ANSWER
    asked = parts.sizes.guess(admitted.model, admitted.envelope, admitted.counted)
    return asked + min(wanted, admitted.max_output) * admitted.envelope.choices


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
    """About how many tokens a request has: allowed like the request itself, and free."""
    snapshot = parts.snapshot()
    caller, storefront = await identify(parts, snapshot, incoming.secret, incoming.mount)
    judged = _judge(parts, snapshot, caller, storefront, DIALECTS[incoming.dialect], incoming)
    counted = await parts.sizes.count(caller, judged.envelope)
    return storefront, parts.sizes.guess(judged.model, judged.envelope, counted)


async def let_in(
    parts: Parts, snapshot: Snapshot, caller: Caller, storefront: Storefront, dialect: Dialect, incoming: Incoming
) -> Admitted:
    """`admit`, counting first where that is needed."""
    try:
        return admit(parts, snapshot, caller, storefront, dialect, incoming)
    except Uncounted as open_question:
        counted = await parts.sizes.count(caller, open_question.envelope)
        return admit(parts, snapshot, caller, storefront, dialect, incoming, counted)


async def tightened(parts: Parts, admitted: Admitted) -> Admitted | None:
    """With a hold by tokens instead of bytes; None where it holds the same already."""
    if admitted.counted is not None and admitted.tight:
        return None
    counted = admitted.counted or await parts.sizes.count(admitted.caller, admitted.envelope)
    envelope = admitted.envelope
    most = parts.sizes.bound(admitted.model, envelope, counted)
    if most >= envelope.size:
        return None
    hold = _hold(admitted.model, envelope, admitted.max_output, most, admitted.conversation or 0,
                 free=admitted.simulated)  # fmt: skip
    return msgspec.structs.replace(admitted, counted=counted, hold=hold, tight=True)


def admit(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    dialect: Dialect,
    incoming: Incoming,
    counted: Counted | None = None,
) -> Admitted:
    """Raises Uncounted where the bytes leave open whether it fits."""
    judged = _judge(parts, snapshot, caller, storefront, dialect, incoming)
    envelope, model, live = judged.envelope, judged.model, judged.live
    fitted = _fitted(parts, storefront, model, envelope, counted)
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
        hold=_hold(model, envelope, fitted.max_output, envelope.size, conversation or 0, free=judged.free),
        conversation=conversation,
        counted=counted,
        simulated=judged.simulated,
        substituted=judged.substituted,
        dropped=("max_tokens",) if fitted.clamped else (),
    )


def _fitted(parts: Parts, storefront: Storefront, model: Model, envelope: Envelope, counted: Counted | None) -> Room:
    default = storefront.default_max_output if _takes(model, "max_tokens") else None
    if envelope.widest is not None:  # texts that must each fit: a guess, as nothing is clamped for them
        return room(model, input_tokens=parts.sizes.gauge.guess(model.pool, envelope.widest),
                    wanted=envelope.max_output, default=default)  # fmt: skip
    tokens = parts.sizes.bound(model, envelope, counted)
    settled = counted is not None or model.safe_context is None or tokens * _SMALL_PART <= model.safe_context
    try:
        fitted = room(model, input_tokens=tokens, wanted=envelope.max_output, default=default)
    except GatewayError:
        if settled:
            raise
        raise Uncounted(envelope) from None
    scant = fitted.cut and (envelope.max_output is not None or fitted.max_output < _AMPLE)
    if scant and not settled:
        raise Uncounted(envelope)
    return fitted


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


def _hold(model: Model, envelope: Envelope, max_output: int, most_input: int, least_input: int, *, free: bool) -> Hold:
    try:
        return worst_case(
            model.price,
            input_tokens=most_input,
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
