"""From a call to an admitted request: parsed, resolved, allowed, fitted, priced.

Law: nothing here waits but the key's look-up, and nothing here touches an upstream or the ledger. Whatever it
refuses has cost nobody anything.
"""

from bisect import bisect_right
from functools import partial

import msgspec

from conflux.billing.amounts import Hold
from conflux.billing.estimate import conversation_tokens
from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.money import usd
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope
from conflux.policy.context import ROOM_FOR_ANSWER, Room, room
from conflux.policy.permitted import unknown_model
from conflux.relay.admitted import Admitted, Uncounted, hold_for, most_read
from conflux.relay.aside import is_long
from conflux.relay.controls import Cap, Controls, controls_of
from conflux.relay.dues import plan_of
from conflux.relay.flux_admit import FIELD, Asked, admit_panel, panel_asked, tightened_panel
from conflux.relay.identify import identify
from conflux.relay.parts import Incoming, Parts
from conflux.relay.routed import route
from conflux.relay.snapshot import Snapshot
from conflux.relay.standing import standing_of
from conflux.relay.terms import Terms, check_rules, priced, terms_of
from conflux.routing.board import Routed
from conflux.routing.gauge import Counted
from conflux.routing.tasks import task_named

# A conversation whose bytes are less than this part of the safe context is not worth counting.
_SMALL_PART = 8
# An answer that nobody gave a length is not worth counting for while it has this much room.
_AMPLE = 8192


class _Judged(msgspec.Struct, frozen=True):
    """A request that is allowed, whether or not it fits."""

    terms: Terms
    requested: str
    routed: Routed | None


def _judge(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    envelope: Envelope,
    incoming: Incoming,
    controls: Controls,
    counted: Counted | None = None,
    seed: int = 0,
) -> _Judged:
    terms, requested, routed = _resolve(
        parts, snapshot, caller, storefront, envelope, incoming.headers, controls, counted, seed
    )
    check_rules(terms, caller, storefront, envelope, parts.clock.time())
    return _Judged(terms, requested, routed)


async def count(parts: Parts, incoming: Incoming) -> tuple[Storefront, int]:
    """About how many tokens a request has: allowed like the request itself, and free."""
    snapshot = parts.snapshot()
    caller, storefront = await identify(parts, snapshot, incoming.secret, incoming.mount)
    dialect = DIALECTS[incoming.dialect]
    long = is_long(incoming.body)
    envelope = await _opened(parts, dialect, incoming) if long else dialect.open(incoming.body, incoming.place)
    controls = controls_of(storefront, incoming.headers, envelope)
    counted = await parts.sizes.count(caller, envelope)
    asked = panel_asked(snapshot, caller, storefront, envelope, incoming.headers)
    if asked is not None:
        panel = admit_panel(parts, snapshot, caller, storefront, dialect, incoming.headers, envelope, asked, counted)
        return storefront, parts.sizes.guess(panel.model, envelope, counted)
    judged = _judge(parts, snapshot, caller, storefront, envelope, incoming, controls)
    return storefront, parts.sizes.guess(judged.terms.model, envelope, counted)


async def let_in(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    dialect: Dialect,
    incoming: Incoming,
    seed: int = 0,
) -> Admitted:
    """`admit`, counting first where that is needed. `seed`: the request's id, from which a task's choice takes its
    chance."""
    opened = await _opened(parts, dialect, incoming) if is_long(incoming.body) else None
    try:
        return admit(parts, snapshot, caller, storefront, dialect, incoming, seed=seed, opened=opened)
    except Uncounted as open_question:
        envelope = open_question.envelope
        counted = await parts.sizes.count(caller, envelope)
        return admit(parts, snapshot, caller, storefront, dialect, incoming, counted, seed, envelope)


async def _opened(parts: Parts, dialect: Dialect, incoming: Incoming) -> Envelope:
    return await parts.aside.do(partial(dialect.open, incoming.body, incoming.place))


async def tightened(parts: Parts, admitted: Admitted) -> Admitted | None:
    """With a hold by tokens instead of bytes; None where it holds the same already."""
    if admitted.tight:
        return None
    if admitted.flux is not None:
        return tightened_panel(parts, admitted, await parts.sizes.count(admitted.caller, admitted.envelope))
    counted = admitted.counted or await parts.sizes.count(admitted.caller, admitted.envelope)
    envelope = admitted.envelope
    most = most_read(parts, admitted.model, envelope, counted)
    if most >= admitted.most_input:
        return None
    held = hold_for(priced(admitted.model), envelope, admitted.max_output, most, admitted.conversation or 0,
                 free=admitted.simulated)  # fmt: skip
    if admitted.plan is not None:
        held = Hold(0, 0)
    return msgspec.structs.replace(admitted, counted=counted, hold=held, tight=True, most_input=most)


def admit(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    dialect: Dialect,
    incoming: Incoming,
    counted: Counted | None = None,
    seed: int = 0,
    opened: Envelope | None = None,
) -> Admitted:
    """`opened`: the request, where somebody read it already. Raises Uncounted where the bytes leave open whether it
    fits."""
    envelope = opened or dialect.open(incoming.body, incoming.place)
    controls = controls_of(storefront, incoming.headers, envelope)
    cap = controls.cap
    known = _known(snapshot, caller, storefront, envelope, incoming.headers)
    if known is not None:
        check_rules(known, caller, storefront, envelope, parts.clock.time())
        judged = _Judged(known, envelope.model or "", None)
    else:
        asked = panel_asked(snapshot, caller, storefront, envelope, incoming.headers)
        if asked is not None:
            return _panel(parts, snapshot, caller, storefront, dialect, incoming, envelope, asked, counted, cap)
        judged = _judge(parts, snapshot, caller, storefront, envelope, incoming, controls, counted, seed)
    terms, model = judged.terms, judged.terms.model
    fitted = _fitted(parts, terms, envelope, counted)
    if not terms.live and not (storefront.fallback and not model.account):
        raise _no_target(model)
    plan = plan_of(snapshot.catalogue, caller) if caller.agent and not terms.free else None
    plain = not envelope.needs and not envelope.fetches  # as nearly every request
    most = most_input = envelope.size if plain else most_read(parts, model, envelope)
    if cap is not None and plan is None and not terms.free:
        fitted, most_input = _paid(parts, judged, envelope, fitted, cap, counted)
    # Only a stream is ever settled by another process than the one that read it.
    conversation = conversation_tokens(envelope.body, envelope.images) if envelope.stream else None
    return Admitted(
        caller=caller,
        storefront=storefront,
        dialect=dialect,
        envelope=envelope,
        model=model,
        requested=judged.requested,
        task=judged.routed.decision.board.task if judged.routed is not None else None,
        route=judged.routed,
        targets=terms.live,
        max_output=fitted.max_output,
        temperature=terms.temperature,
        hold=hold_for(terms.ceiling, envelope, fitted.max_output, most_input, conversation or 0, free=terms.free)
        if plan is None
        else Hold(0, 0),
        tight=most_input < most,
        most_input=most_input,
        plan=plan,
        conversation=conversation,
        counted=counted,
        simulated=terms.simulated,
        substituted=terms.instead,
        dropped=("max_tokens",) if fitted.clamped else (),
    )


def _known(
    snapshot: Snapshot, caller: Caller, storefront: Storefront, envelope: Envelope, headers: Headers
) -> Terms | None:
    """What was found for this name before, where one model is named and no more is asked for: then there is nothing to
    choose, and no panel."""
    name, body = envelope.model, envelope.body
    if name is None or envelope.task_type is not None or FIELD in body or "prefer" in body:
        return None
    terms: Terms | None = standing_of(snapshot, caller, storefront, headers).terms.get(name)
    return terms if terms is not None and terms.model.flux is None else None


def _fitted(parts: Parts, terms: Terms, envelope: Envelope, counted: Counted | None) -> Room:
    model, default = terms.model, terms.default_output
    if envelope.widest is not None:  # texts that must each fit: a guess, as nothing is clamped for them
        return room(model, input_tokens=parts.sizes.gauge.guess(model.pool, envelope.widest),
                    wanted=envelope.max_output, default=default)  # fmt: skip
    tokens = envelope.size if counted is None else parts.sizes.bound(model, envelope, counted)
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


def _panel(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    dialect: Dialect,
    incoming: Incoming,
    envelope: Envelope,
    asked: Asked,
    counted: Counted | None,
    cap: Cap | None,
) -> Admitted:
    if caller.agent:  # a plan counts requests of one model
        text = "flux: a plan pays for this key, and no plan pays for a panel; name one model"
        raise invalid(text, "flux", "flux_not_in_plan")
    panel = admit_panel(parts, snapshot, caller, storefront, dialect, incoming.headers, envelope, asked, counted)
    if cap is not None and panel.hold.amount > cap.most:
        raise _beyond(cap, "this panel", panel.hold.amount)
    return panel


def _paid(
    parts: Parts, judged: _Judged, envelope: Envelope, fitted: Room, cap: Cap, counted: Counted | None
) -> tuple[Room, int]:
    """No longer an answer than the caller's cap pays for, and the input it goes by. Raises Uncounted where its bytes
    leave open whether it does."""
    model, wanted = judged.terms.model, fitted.max_output
    tokens = most_read(parts, model, envelope, counted)

    def costs(output: int) -> int:
        return hold_for(judged.terms.ceiling, envelope, output, tokens, 0, free=False).amount

    if costs(wanted) <= cap.most:
        return fitted, tokens
    if counted is None:
        raise Uncounted(envelope)
    least = min(wanted, ROOM_FOR_ANSWER)
    if judged.routed is not None:  # half of what is expected: it was chosen as all of that is about within the cap
        board, place = judged.routed.decision.board, judged.routed.decision.place or 0
        least = min(wanted, int(board.length(board.fit[place])) // 2)
    if costs(least) > cap.most:
        raise _beyond(cap, f"{model.id} with an answer of {least} tokens", costs(least))
    output = least + bisect_right(range(least, wanted + 1), cap.most, key=costs) - 1
    return Room(output, envelope.max_output is not None, fitted.cut), tokens


def _beyond(cap: Cap, what: str, amount: int) -> GatewayError:
    text = f"{cap.header}: {what} can cost up to {usd(amount)} USD, and no more than {usd(round(cap.most))} is allowed"
    return invalid(f"{text}: raise it, send a lower max_tokens, or name a cheaper model", param=cap.header)


def _no_target(model: Model) -> GatewayError:
    if model.account:
        text = f"{model.id} runs on a connected account, and none is signed in"
        return GatewayError(Kind.ACCOUNT_NEEDED, text, param="model")
    text = f"{model.id} has no live target now: try another model, or later"
    return GatewayError(Kind.UNAVAILABLE, text, param="model")


def _resolve(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    envelope: Envelope,
    headers: Headers,
    controls: Controls,
    counted: Counted | None,
    seed: int,
) -> tuple[Terms, str, Routed | None]:
    standing = standing_of(snapshot, caller, storefront, headers)
    name, routed = envelope.model, None
    if name is None:
        if envelope.task_type is None:
            raise invalid("send model or task_type: one of them says what is to answer", param="model")
        task = task_named(envelope.task_type)
        preset = controls.preset(storefront)
        routed = route(parts, snapshot, standing, caller, storefront, envelope, task, preset, counted, seed,
                       controls.most)  # fmt: skip
        name = routed.name
    elif envelope.task_type is not None:
        raise invalid("send model or task_type, not both", param="task_type")
    terms = terms_of(standing, snapshot, caller, storefront, name)
    if terms is None:
        raise unknown_model(name)
    return terms, name, routed
