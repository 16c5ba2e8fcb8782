"""The headers of an answer: what was asked, what served, what it cost.

Law: an allow-list of our own. Nothing an upstream sent in a header is ever copied.
"""

from conflux.billing.credits import has_credits
from conflux.dialects.base import Dialect
from conflux.neutral.money import credits_text, usd
from conflux.neutral.ports import Headers
from conflux.relay.admitted import Admitted
from conflux.relay.snapshot import Snapshot

JSON = (b"content-type", b"application/json")
_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_MOST = 300


def header_value(text: str) -> bytes:
    """Text as a header value: printable ASCII, cut to a length every proxy takes."""
    if text.isascii() and text.isprintable():
        return text[:_MOST].encode()
    return "".join(one if 32 <= ord(one) < 127 else "?" for one in text[:_MOST]).encode()


def listed(names: tuple[str, ...]) -> bytes:
    """Names as a header value, each once and none of them cut; how many more the receipt has."""
    kept: list[str] = []
    size, found = 0, list(dict.fromkeys(names))
    for name in found:
        size += len(name) + 2
        if size > _MOST - len(", and 9999 more on the receipt"):
            kept.append(f"and {len(found) - len(kept)} more on the receipt")
            break
        kept.append(name)
    return header_value(", ".join(kept))


def identified(request_id: bytes, dialect: Dialect) -> Headers:
    """The request's id, wherever the client looks for it."""
    found = [(b"x-request-id", request_id)]
    if dialect.id_header:
        found.append((dialect.id_header, request_id))
    return found


def explain(admitted: Admitted, snapshot: Snapshot, dropped: tuple[str, ...]) -> Headers:
    model = admitted.model
    names = snapshot.names[model.storefront]
    key = (model.storefront, admitted.requested, admitted.simulated)
    # What is served instead depends on the caller, and so does which names it is served for; a panel's on who answers.
    own = admitted.substituted or admitted.fallback is not None or admitted.flux is not None
    fixed = None if own else snapshot.fixed.get(key)
    if fixed is None:
        fixed = [
            (names.requested_model, header_value(admitted.requested)),
            (names.served_model, header_value(model.id)),
            (names.fallback_applied, b"false" if admitted.fallback is None else b"true"),
        ]
        if admitted.fallback is not None:
            fixed.append((names.fallback_reason, header_value(admitted.fallback.reason)))
            fixed.append((names.fallback_chain, header_value(" > ".join(admitted.fallback.chain))))
        if admitted.simulated:
            fixed.append((names.simulated, b"true"))
        if not own:
            snapshot.fixed[key] = fixed  # at most as many as there are ids and aliases
    if admitted.task is None and not dropped:
        return fixed
    found = list(fixed)
    if admitted.task is not None:
        found.append((names.route_task, admitted.task.name.encode()))
        found.append((names.route_tier, admitted.task.tier.value.encode()))
    if admitted.route is not None:
        decision = admitted.route.decision
        found.append((names.route_reason, decision.reason.encode()))
        found.append((names.route_candidates, f"{decision.kept}/{len(decision.board.entries)}".encode()))
        if decision.dropped:
            found.append((names.route_dropped, header_value(decision.spoken)))
    if dropped:
        found.append((names.dropped, listed(dropped)))
    return found


def plain(
    admitted: Admitted,
    snapshot: Snapshot,
    dropped: tuple[str, ...],
    charge: int,
    credits: int,
    request_id: bytes,
) -> Headers:
    names = snapshot.names[admitted.storefront.id]
    found = [JSON, *identified(request_id, admitted.dialect), (names.cost_usd, usd(charge).encode())]
    if has_credits(admitted.storefront):
        found.append((names.credits, credits_text(credits).encode()))
    found += explain(admitted, snapshot, dropped)
    return found


def streamed(admitted: Admitted, snapshot: Snapshot, dropped: tuple[str, ...], request_id: bytes) -> Headers:
    return [*_STREAM, *identified(request_id, admitted.dialect), *explain(admitted, snapshot, dropped)]


def late_fallback(admitted: Admitted) -> bytes:
    """What the headers would have said, for a stream whose head went out before: a comment, which no client minds."""
    found = admitted.fallback
    if found is None:
        return b""
    chain = " > ".join(found.chain)
    return b": " + header_value(f"served-model {admitted.model.id}, fallback {found.reason}: {chain}") + b"\n\n"
