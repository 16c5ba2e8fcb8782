"""From a request for a task to the model that is given it.

Law: the candidates are those that may run as themselves, now, for this caller: the list and this choice cannot
disagree. Boards are made once for callers who are narrowed alike and gone with their snapshot. Nothing is sent here.
"""

from collections.abc import Sequence

from conflux.billing.estimate import tokens_of
from conflux.neutral.errors import GatewayError
from conflux.neutral.money import NANO_PER_USD, PICO_PER_NANO, PriceSheet
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope, Need
from conflux.policy.capability import MEETS, answers
from conflux.policy.context import OUTPUT_WHEN_UNKNOWN, ROOM_FOR_ANSWER
from conflux.relay.opening import in_tool_loop, name_of
from conflux.relay.parts import Parts
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.relay.standing import Standing
from conflux.routing.board import NEVER, Ask, Board, Entry, Routed
from conflux.routing.gauge import Counted
from conflux.routing.opinions import Subject
from conflux.routing.prefer import Preset
from conflux.routing.tasks import Task, lacks, refused

_ANY = ""  # a pool that nobody measured: its gauge is as wide as any
_MOST = 500  # boards of one snapshot
_DIFFERS = frozenset({*MEETS, Need.MANY_CHOICES})  # what a catalogue may say of one model and not of another
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_NEED_BITS = {need: 1 << place for place, need in enumerate(Need)}
_EFFORT_BITS = {effort: 1 << (len(_NEED_BITS) + place) for place, effort in enumerate(_EFFORTS)}
_ALL_EFFORTS = sum(_EFFORT_BITS.values())
_STEADY_TASKS = frozenset({"agentic_complex"})  # never tried out on


class NoModel(GatewayError):
    """Nobody is left; `routed` says why."""

    def __init__(self, error: GatewayError, routed: Routed) -> None:
        super().__init__(error.kind, error.message, param=error.param)
        self.routed = routed


def route(
    parts: Parts,
    snapshot: Snapshot,
    standing: Standing,
    caller: Caller,
    storefront: Storefront,
    envelope: Envelope,
    task: Task,
    preset: Preset,
    counted: Counted | None,
    seed: int,
    most: float = NEVER,
) -> Routed:
    """`most`: nano-USD that the answer may be expected to cost. Raises NoModel."""
    now = parts.clock.monotonic()
    board = board_of(parts, snapshot, standing, caller, task, preset, tools=Need.TOOLS in envelope.needs)
    conversation = name_of(envelope.body, caller.key_id, storefront.id)
    home = parts.health.measures.homes.of(conversation, now) if conversation is not None else None
    ask = asked(parts, envelope, storefront, counted, seed)
    if most < NEVER:
        ask = ask._replace(most=most)
    if home is not None:
        ask = ask._replace(home=home.target, known=home.tokens)
    elif task.name not in _STEADY_TASKS and not in_tool_loop(envelope.body):
        ask = ask._replace(explores=True)
    routed = Routed(board.decide(ask, now), conversation)
    if routed.decision.place is None:
        raise NoModel(refused(task, routed.decision.spoken), routed)
    return routed


def asked(parts: Parts, envelope: Envelope, storefront: Storefront, counted: Counted | None, seed: int = 0) -> Ask:
    size = envelope.size if envelope.widest is None else envelope.widest
    gauge = parts.sizes.gauge
    tokens = gauge.guess(_ANY, size) if counted is None else gauge.bound(_ANY, size, counted)
    wanted = envelope.max_output or storefront.default_max_output
    bits = _EFFORT_BITS.get(envelope.effort, 0) if envelope.effort is not None else 0
    for need in envelope.needs:
        bits |= _NEED_BITS[need]
    return Ask(
        needs=bits,
        tokens=tokens_of(envelope.size),
        room=tokens + min(wanted or OUTPUT_WHEN_UNKNOWN, ROOM_FOR_ANSWER),
        output=wanted or 1 << 40,
        choices=envelope.choices,
        seed=seed,
    )


def board_of(
    parts: Parts, snapshot: Snapshot, standing: Standing, caller: Caller, task: Task, preset: Preset, *, tools: bool
) -> Board:
    name = (standing.fingerprint, task.name, tools, preset.name)
    found: Board | None = snapshot.boards.get(name)
    if found is None:
        if len(snapshot.boards) >= _MOST:
            snapshot.boards.clear()
        entries = [_entry(parts, snapshot, caller, model, task, tools=tools) for model in standing.own]
        found = snapshot.boards[name] = Board(task, preset, entries, parts.health.measures)
    return found


def measured_as(model: Model, *, simulated: bool) -> str:
    """Whose answers are alike: a pool's at one effort. What is simulated says nothing of the real ones."""
    name = model.pool if model.effort is None else f"{model.pool} {model.effort}"
    return f"simulated {name}" if simulated else name


def _entry(parts: Parts, snapshot: Snapshot, caller: Caller, model: Model, task: Task, *, tools: bool) -> Entry:
    targets = snapshot.targets(model, test=caller.test)
    simulated = bool(targets) and targets[0].live.provider.simulated
    sheets = [(_sheet(one, model), one.weight) for one in targets]
    priced = model.price.known or ((caller.test or simulated) and all(sheet.known for sheet, _ in sheets))
    bits = _ALL_EFFORTS if model.effort is None else _EFFORT_BITS.get(model.effort, 0)
    sure = -1
    for need, bit in _NEED_BITS.items():
        found = "n" in model.supported_parameters if need is Need.MANY_CHOICES else answers(model, need)
        if found is not False or need is Need.MANY_CHOICES:
            bits |= bit
        if not found and need in _DIFFERS:
            sure &= ~bit
    fresh, cached, output, fee = _mean(sheets)
    return Entry(
        model=model,
        out=lacks(task, model, tools=tools) or (None if priced else "price"),
        needs=bits,
        room=NEVER if model.safe_context is None else model.safe_context,
        fresh=fresh,
        cached=cached,
        output=output,
        fee=fee,
        gates=tuple(parts.health.of(one.key) for one in targets),
        measured=parts.health.measures.of(measured_as(model, simulated=simulated), parts.clock.monotonic()),
        subject=Subject(model.storefront, model.id, task.name, simulated),
        sure=sure,
        paid=None if all(sheet is model.price for sheet, _ in sheets) else _mean([(model.price, 1)]),
    )


def _sheet(target: LiveTarget, model: Model) -> PriceSheet:
    """What the house pays; where that is not known, what the customer does."""
    cost = target.target.cost
    return cost if cost is not None and cost.known else model.price


def _mean(sheets: Sequence[tuple[PriceSheet, int]]) -> tuple[float, float, float, float]:
    """Nano-USD of a fresh token, a cached one, one of the answer, and of the request, over a pool's targets."""
    weights = sum(weight for _, weight in sheets)
    total = [0.0, 0.0, 0.0, 0.0]
    for sheet, weight in sheets:
        fresh = sheet.input or 0
        scale = weight / weights * sheet.rate.nano_usd / NANO_PER_USD / PICO_PER_NANO
        prices = (fresh, fresh if sheet.cache_read is None else sheet.cache_read, sheet.output or 0, sheet.request or 0)
        for place, price in enumerate(prices):
            total[place] += price * scale
    return total[0], total[1], total[2], total[3]
