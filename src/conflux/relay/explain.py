"""Why a request would go where it would go, without going.

Law: the same way in as a real request: identify, recall, let_in, and the stand-ins of fallback.py; nothing is held,
sent or learned. Targets, and what providers take of the house, are for admins.
"""

from itertools import islice
from typing import Any

from conflux.dialects import DIALECTS
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import ID_CHANCES, new_request_id
from conflux.neutral.money import usd
from conflux.neutral.records import Storefront
from conflux.relay.admit import let_in
from conflux.relay.admitted import Admitted
from conflux.relay.fallback import candidates, stand_ins, wanted
from conflux.relay.flux_view import planned
from conflux.relay.identify import identify
from conflux.relay.parts import Incoming, Parts
from conflux.relay.routed import NoModel
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.relay.stored import recall
from conflux.routing.board import Ask, Board, Decision, Entry
from conflux.routing.choice import MOST_ATTEMPTS

_SAID_NOTHING = GatewayError(Kind.UNAVAILABLE, "nothing has failed")


async def explained(parts: Parts, incoming: Incoming) -> tuple[Storefront, dict[str, Any]]:
    """Raises what the request itself would be refused with, but for a task that no model serves: that is explained."""
    snapshot = parts.snapshot()
    caller, storefront = await identify(parts, snapshot, incoming.secret, incoming.mount)
    if parts.responses is not None:
        incoming = (await recall(parts.responses, caller.key_id, incoming)).incoming
    seed = new_request_id(parts.clock.time(), parts.below(ID_CHANCES))
    try:
        admitted = await let_in(parts, snapshot, caller, storefront, DIALECTS[incoming.dialect], incoming, seed)
    except NoModel as none:
        shown = _of_task(none.routed.decision, admin=caller.admin)
        return storefront, shown | {"model": None, "reason": none.message, "attempts": []}
    shown = _of_task(admitted.route.decision, admin=caller.admin) if admitted.route is not None else _of_name(
        parts, snapshot, admitted, incoming
    )  # fmt: skip
    shown["needs"] = sorted({*shown["needs"], *(need.value for need in admitted.envelope.needs)})
    turn = _in_turn(parts, snapshot, admitted, incoming)
    shown["attempts"] = [_attempt(parts, one, admin=caller.admin) for one in turn]
    shown["worst_case_usd"] = usd(max(one.hold.amount for one in turn))
    shown["simulated"] = admitted.simulated
    if admitted.flux is not None:
        shown["flux"] = planned(admitted)
    return storefront, shown


def _of_task(found: Decision, *, admin: bool) -> dict[str, Any]:
    board = found.board
    model = found.model
    return {
        "model": model.id if model is not None else None,
        "reason": found.reason,
        "task_type": board.task.name,
        "tier": board.task.tier.value,
        "prefer": board.preset.name,
        "needs": [need.value for need in board.task.needs],
        "candidates": [_candidate(board, entry, found.ask, cause, admin=admin) for entry, cause in board.causes(found)],
    }


def _of_name(parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming) -> dict[str, Any]:
    """A model that was named: the others are those that could stand in for it."""
    board, ask, others = candidates(parts, snapshot, admitted, incoming)
    causes = {option.model.id: why for option, why in others}
    rows = [
        _candidate(board, entry, ask, ", ".join(causes.get(entry.model.id, ())) or None, admin=admitted.caller.admin)
        for entry in board.entries
    ]
    return {
        "model": admitted.model.id,
        "reason": "substituted" if admitted.substituted else "named",
        "task_type": None,
        "tier": admitted.model.tier.value if admitted.model.tier is not None else None,
        "prefer": board.preset.name,
        "needs": [],
        "candidates": rows,
    }


def _candidate(board: Board, entry: Entry, ask: Ask, cause: str | None, *, admin: bool) -> dict[str, Any]:
    score, priced = board.score(entry, ask), cause != "price"
    shown = {
        "model": entry.model.id,
        "kept": cause is None,
        "dropped_because": cause,
        "cost_usd": usd(round(board.price(entry, ask))) if priced else None,
        "time_s": round(score.seconds, 3),
        "success": round(score.success, 4),
        "quality": round(score.quality, 4),
        # The house's cost is in it: with the other figures it could be reckoned back.
        "score": usd(round(score.total)) if priced and (admin or entry.paid is None) else None,
    }
    if admin:
        shown["provider_cost_usd"] = usd(round(score.cost)) if priced else None
    return shown


def _in_turn(parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming) -> list[Admitted]:
    if not wanted(admitted, incoming):
        return [admitted]
    try:
        others = stand_ins(parts, snapshot, admitted, incoming, _SAID_NOTHING)
        return [admitted, *islice(others, MOST_ATTEMPTS - 1)]
    except GatewayError:
        return [admitted]


def _attempt(parts: Parts, one: Admitted, *, admin: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"model": one.model.id, "role": "first" if one.fallback is None else "fallback"}
    if admin:
        now = parts.clock.monotonic()

        def waiting(target: LiveTarget) -> tuple[bool, float]:
            health = parts.health.of(target.key)
            return not health.open(now), health.cost(target.weight, now)

        shown["targets"] = [
            {"target": target.key, "open": parts.health.of(target.key).open(now)}
            for target in sorted(one.targets, key=waiting)
        ]
    return shown
