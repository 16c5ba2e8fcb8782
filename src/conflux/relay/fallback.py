"""Another model instead of the one that does not answer.

Law: never after the first content, never a model that the caller could not have asked for, never one that might not
serve what the whole conversation needs. Whoever says off gets the plain failure.
"""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from conflux.billing.amounts import Unpriced, charge
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.records import Model
from conflux.neutral.request import Need
from conflux.neutral.usage import Usage
from conflux.policy import RULES
from conflux.policy.capability import answers
from conflux.policy.case import Case
from conflux.policy.context import OUTPUT_WHEN_UNKNOWN, ROOM_FOR_ANSWER
from conflux.relay.admitted import Admitted, Fallback
from conflux.relay.controls import controls_of
from conflux.relay.parts import Incoming, Parts
from conflux.relay.routed import asked as board_ask
from conflux.relay.routed import board_of
from conflux.relay.snapshot import Snapshot
from conflux.relay.standing import standing_of
from conflux.routing.board import Ask, Board
from conflux.routing.fallback import Option, Prices, objections, ranked
from conflux.routing.flux_plan import may_fuse
from conflux.routing.tasks import UNNAMED

_MILLION = 1_000_000
_NAMED = 8


def wanted(admitted: Admitted, incoming: Incoming) -> bool:
    """Does the storefront do it, and has the client not said off? A panel's fuser is stood in for everywhere."""
    front = admitted.storefront
    if admitted.envelope.kind == "embedding":
        return False  # another model's vectors are of another space: what is kept by them would be found no more
    if not front.fallback and admitted.flux is None:
        return False
    return controls_of(front, incoming.headers, admitted.envelope).stands_in


def stand_ins(
    parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming, error: GatewayError
) -> Iterator[Admitted]:
    """The same request for each model that may serve it instead, the best first. Raises no_capable_fallback where there
    is none; `error`: why the model asked for does not answer."""
    asked = admitted.model
    prices = prices_of(parts, asked.price, admitted)
    options = _options(parts, snapshot, admitted, *_board(parts, snapshot, admitted, incoming))
    models = ranked(options, _above(admitted), prices) if prices is not None else []
    if not models:
        raise _none(admitted, options, prices, error)
    return _in_turn(parts, snapshot, admitted, models, error)


def _in_turn(
    parts: Parts, snapshot: Snapshot, admitted: Admitted, models: list[Model], error: GatewayError
) -> Iterator[Admitted]:
    chain = [admitted.model.id]
    for model in models:
        chain.append(model.id)
        limit = model.max_output
        yield replace(
            admitted,
            model=model,
            targets=snapshot.targets(model, test=admitted.caller.test),
            max_output=admitted.max_output if limit is None else min(admitted.max_output, limit),
            fallback=Fallback(asked=admitted.model, reason=error.kind.value, chain=tuple(chain)),
        )


def candidates(
    parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming
) -> tuple[Board, Ask, list[tuple[Option, tuple[str, ...]]]]:
    """All that stand_ins looks at, for whoever wants to know: the board, and why each other model is none."""
    board, ask = _board(parts, snapshot, admitted, incoming)
    prices = prices_of(parts, admitted.model.price, admitted)
    options = _options(parts, snapshot, admitted, board, ask)
    return (
        board,
        ask,
        [(one, objections(one, _above(admitted), prices) if prices is not None else ("price",)) for one in options],
    )


def _above(admitted: Admitted) -> Model:
    """Whose tier a stand-in must have. A panel's drafts are there: any fuser makes more of them than none."""
    return admitted.model if admitted.flux is None else replace(admitted.model, tier=None)


def _options(parts: Parts, snapshot: Snapshot, admitted: Admitted, board: Board, ask: Ask) -> list[Option]:
    return [
        _option(
            parts,
            snapshot,
            admitted,
            entry.model,
            board.score(entry, ask).total,
            dear=board.price(entry, ask) > ask.most,
        )
        for entry in board.entries
        if entry.model.id != admitted.model.id
    ]


def _board(parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming) -> tuple[Board, Ask]:
    """Every model that may run, reckoned as tasks are."""
    envelope = admitted.envelope
    standing = standing_of(snapshot, admitted.caller, admitted.storefront, incoming.headers)
    controls = controls_of(admitted.storefront, incoming.headers, envelope)
    preset = controls.preset(admitted.storefront)
    board = board_of(parts, snapshot, standing, admitted.caller, admitted.task or UNNAMED, preset,
                     tools=Need.TOOLS in envelope.needs)  # fmt: skip
    ask = board_ask(parts, envelope, admitted.storefront, admitted.counted)
    return board, ask._replace(most=controls.most)


def _option(parts: Parts, snapshot: Snapshot, admitted: Admitted, model: Model, score: float, *, dear: bool) -> Option:
    lacks = tuple(_lacks(parts, admitted, model))
    return Option(
        model=model,
        lacks=(*lacks, "max_cost") if dear else lacks,
        prices=prices_of(parts, model.price, admitted),
        live=_is_live(parts, snapshot, admitted, model),
        score=score,
    )


def _lacks(parts: Parts, admitted: Admitted, model: Model) -> Iterator[str]:
    envelope = admitted.envelope
    if model.kind != envelope.kind:
        yield "kind"
    if admitted.flux is not None and not may_fuse(model):
        yield "role"
    for need in sorted(envelope.needs):
        if need is Need.MANY_CHOICES:
            if "n" not in model.supported_parameters:
                yield need.value
        elif answers(model, need) is not True:
            yield need.value
    if not _fits(parts, admitted, model):
        yield "context"
    try:
        case = Case(admitted.caller, admitted.storefront, model, envelope, parts.clock.time(), free=admitted.simulated)
        for rule in RULES:
            rule(case)
    except GatewayError:
        yield "permission"


def _fits(parts: Parts, admitted: Admitted, model: Model) -> bool:
    """The whole conversation and the whole answer, as the model asked for would have given it."""
    envelope = admitted.envelope
    output = ROOM_FOR_ANSWER if envelope.max_output is None else admitted.max_output
    if output > (OUTPUT_WHEN_UNKNOWN if model.max_output is None else model.max_output):
        return False
    most = parts.sizes.bound(model, envelope, admitted.counted)
    return model.safe_context is not None and most + output <= model.safe_context


def _is_live(parts: Parts, snapshot: Snapshot, admitted: Admitted, model: Model) -> bool:
    now, health = parts.clock.monotonic(), parts.health
    return any(
        one.live.provider.simulated == admitted.simulated and health.of(one.key).open(now)
        for one in snapshot.targets(model, test=admitted.caller.test)
    )


def prices_of(parts: Parts, sheet: PriceSheet, admitted: Admitted) -> Prices | None:
    """What such a request costs by a sheet, each bucket at its plain price."""
    envelope = admitted.envelope
    output = ROOM_FOR_ANSWER if envelope.max_output is None else admitted.max_output
    usage = Usage(input=parts.sizes.guess(admitted.model, envelope, admitted.counted), output=output * envelope.choices)
    try:
        return Prices(*(charge(one, sheet)[1] for one in (usage, Usage(input=_MILLION), Usage(output=_MILLION))))
    except Unpriced:
        return None


def _none(admitted: Admitted, options: list[Option], prices: Prices | None, error: GatewayError) -> GatewayError:
    asked = _above(admitted)
    if prices is None:
        missing = {"price": len(options)}
    else:
        missing = dict(Counter(what for one in options for what in objections(one, asked, prices)).most_common())
    of = ", ".join(f"{what} ({count} of {len(options)})" for what, count in list(missing.items())[:_NAMED])
    return GatewayError(
        Kind.NO_CAPABLE_FALLBACK,
        f"{asked.id} does not answer now ({error.message}), and no other model of this key certainly serves this "
        f"request: missing {of or 'another model'}",
        param="model",
        retry_after=error.retry_after,
        details={"requested": asked.id, "candidates": len(options), "missing": missing},
    )
