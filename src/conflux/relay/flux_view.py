"""What a client is told of its panel: in the answer's `flux`, in a header, and before it is sent at all.

Law: pure. Models by the names the client knows them by, failures in words it may hear, money by the ledger's digits.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from conflux.neutral.ledger import Call
from conflux.neutral.money import usd
from conflux.relay.account import Account, owed_for
from conflux.relay.admitted import Admitted
from conflux.relay.attempt import Trial
from conflux.relay.flux import Fanout, Leg
from conflux.routing.flux_prompt import LABELS

_SUMMARY = 280  # characters of a draft

encode = msgspec.json.Encoder().encode


def calls(fanout: Fanout, now: float, *, paid: bool) -> tuple[Call, ...]:
    """The receipt's, but the fuser's: each attempt of each seat. `paid`: an answer went out."""
    return tuple(call for leg in fanout.seats for call in _calls(leg, now, paid=paid))


def _calls(leg: Leg, now: float, *, paid: bool) -> list[Call]:
    model, role = leg.admitted.model.id, leg.role
    found = [
        Call(role=role, model=trial.model, status="failed", latency_ms=int(trial.seconds * 1000), reason=trial.reason,
             target=trial.target.key)
        for trial in leg.trials
    ]  # fmt: skip
    if leg.status == "failed" and found:
        return found
    status = "cancelled" if leg.status == "running" else leg.status
    attempt, account = leg.attempt, leg.found
    usage = account.usage if account is not None else None
    found.append(
        Call(
            role=role,
            model=model,
            status=status,
            latency_ms=int(leg.seconds(now) * 1000),
            usage=usage,
            cost=account.charge if account is not None and paid else 0,
            reason=leg.told,
            target=attempt.target.key if attempt is not None else None,
            provider_cost=owed_for(attempt.target, usage) if attempt is not None and usage is not None else None,
            upstream_id=attempt.lane.tally.upstream_id if attempt is not None else None,
        )
    )
    return found


def field(
    fanout: Fanout, found: Account, admitted: Admitted, fuser_seconds: float, now: float, trials: Sequence[Trial]
) -> bytes:
    """The answer's `flux`. `admitted`: as whoever answered; `found`: the panel's sum; `trials`: the fuser's."""
    priced = admitted.storefront.usage_cost
    told = [one for leg in fanout.seats for one in _seat(fanout, leg, now, priced)]
    told += [_tried("fuser", trial, priced) for trial in trials]
    if found.own is not None:
        told.append(_told("fuser", admitted.model.id, "done", fuser_seconds, found.own, None, priced))
    view: dict[str, Any] = {
        "event": "result",
        "answered_by": "source" if found.own is None else "fuser",
        "model": admitted.model.id,
        "degraded": fanout.degraded is not None,
        "reason": fanout.degraded,
        "sources": len(fanout.legs),
        "drafts": len(fanout.drafts),
        "quorum": fanout.panel.quorum,
        "calls": told,
        "fuser_usage": found.own.usage if found.own is not None else None,
    }
    if priced:
        view["cost_usd"] = usd(found.charge)
    expose = fanout.panel.terms.expose
    if expose != "none":
        most = _SUMMARY if expose == "summary" else None
        view["exposed"] = _exposed(fanout, most)
    return encode(view)


def _seat(fanout: Fanout, leg: Leg, now: float, priced: bool) -> list[dict[str, Any]]:
    """Each of its attempts, as on the receipt."""
    told = [_tried(leg.role, trial, priced) for trial in leg.trials]
    if leg.status != "failed" or not told:
        status = "cancelled" if leg.status == "running" else leg.status
        told.append(_told(leg.role, leg.admitted.model.id, status, leg.seconds(now), leg.found, leg.told, priced))
    if leg.role == "source":
        place = fanout.legs.index(leg)
        told = [{"role": leg.role, "index": place, **one} for one in told]
    return told


def _tried(role: str, trial: Trial, priced: bool) -> dict[str, Any]:
    return _told(role, trial.model, trial.status, trial.seconds, None, trial.told, priced)


def _told(
    role: str, model: str, status: str, seconds: float, found: Account | None, reason: str | None, priced: bool
) -> dict[str, Any]:
    view: dict[str, Any] = {
        "role": role,
        "model": model,
        "status": status,
        "latency_ms": int(seconds * 1000),
        "usage": found.usage if found is not None else None,
    }
    if priced:
        view["cost_usd"] = usd(found.charge if found is not None else 0)
    view["reason"] = reason
    return view


def _exposed(fanout: Fanout, most: int | None) -> dict[str, Any]:
    quoted = fanout.quoted or [(leg, leg.text) for leg in fanout.drafts]
    view: dict[str, Any] = {
        "drafts": [
            {"label": label, "model": leg.admitted.model.id, "text": _short(leg.text, most)}
            for label, (leg, _) in zip(LABELS, quoted, strict=False)
        ]
    }
    if fanout.analysis is not None and fanout.analysis.status == "done":
        view["analysis"] = _short(fanout.analysis.text, most)
    return view


def _short(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else text[: most - 1] + "…"


def header(fanout: Fanout, admitted: Admitted, *, answered: bool) -> str:
    """The same, briefly; what is not known yet is left out. `answered`: it is known who does."""
    words = [f"sources={len(fanout.panel.sources)}", f"quorum={fanout.panel.quorum}"]
    if fanout.legs and all(leg.status != "running" for leg in fanout.legs):
        words.append(f"drafts={len(fanout.drafts)}")
    if answered:
        words.append(f"answered-by={admitted.model.id}")
    if fanout.degraded is not None:
        words.append("degraded")
    return "; ".join(words)


def planned(admitted: Admitted) -> dict[str, Any]:
    """The panel that would run, and the most it can cost: nothing is sent for it."""
    panel = admitted.flux
    assert panel is not None, "only a panel has a plan"
    terms = panel.terms
    return {
        "sources": [_planned(one, one.hold.amount) for one in panel.sources],
        "fuser": _planned(admitted, panel.fuser.amount),
        "analysis": _planned(panel.analysis, panel.analysis.hold.amount) if panel.analysis is not None else None,
        "left_out": [{"model": name, "reason": reason} for name, reason in panel.left_out],
        "quorum": panel.quorum,
        "grace_ms": terms.grace_ms,
        "deadline_ms": terms.deadline_ms,
        "expose": terms.expose,
        "progress": terms.progress,
        "worst_case_usd": usd(admitted.hold.amount),
        "max_cost_usd": None if terms.max_cost is None else usd(terms.max_cost),
        "simulated": admitted.simulated,
    }


def _planned(seat: Admitted, hold: int) -> dict[str, Any]:
    return {"model": seat.model.id, "name": seat.model.name, "max_output": seat.max_output, "worst_case_usd": usd(hold)}


def panel_event(admitted: Admitted) -> dict[str, Any]:
    """The first event of the progress."""
    return {"event": "panel", **planned(admitted)}
