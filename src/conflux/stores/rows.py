"""The ledger's rows: from its words to columns and back.

Law: the order of the columns is said here, once; a row is a tuple in that order.
"""

from typing import Any, NamedTuple

import msgspec

from conflux.neutral.ledger import Call, Ending, Line, Receipt, Reservation, Settlement
from conflux.neutral.money import PICO_PER_NANO
from conflux.neutral.usage import BUCKETS, Provenance, Usage
from conflux.stores.booking import Account, Booked, Claim, Hold
from conflux.stores.sql import Run

_FACTS = ("created", "key_id", "user_id", "workspace_id", "storefront", "requested_model", "simulated")
HOLD = (
    *("request_id", *_FACTS, "amount", "input_floor", "started", "checkpoint", "usage"),
    *("owner_epoch", "lease_until", "tags"),
)
REQUEST = (
    *("id", *_FACTS, "ended", "ending", "started", "served_model", "held", "cost", "variance", "provider_cost"),
    *("credits", *BUCKETS, "provenance", "price_version", "status", "latency_ms", "first_byte_ms", "detail"),
)

ATTEMPT = ("request_id", "n", "target", "provider_cost", "upstream_id")
ENTRY = ("tx", "account", "party", "amount")
POSTING = ("tx", "party", "paid", "owed")
WINDOW = ("budget_id", "start", "posted", "held")

_encode = msgspec.json.Encoder().encode
_plain = msgspec.structs.astuple


def usage_text(usage: Usage) -> str:
    return _encode(_plain(usage)).decode()


_usage_decoder = msgspec.json.Decoder(tuple[int, ...])


def usage_of(text: str) -> Usage:
    return Usage(**dict(zip(BUCKETS, _usage_decoder.decode(text), strict=True)))


_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def tags_text(tags: dict[str, str]) -> str:
    return str(_encode_sorted(tags), "utf-8")


_tags_decoder = msgspec.json.Decoder(dict[str, str])


def hold_row(order: Reservation, amount: int, epoch: int, lease_until: int) -> tuple[Any, ...]:
    return (
        order.request_id,
        order.created,
        order.caller_key,
        order.caller_user,
        order.caller_workspace,
        order.storefront,
        order.requested_model,
        1 if order.simulated else 0,
        amount,
        order.input_floor,
        0,
        0,
        None,
        epoch,
        lease_until,
        tags_text(order.tags) if order.tags else None,
    )


_TAGS = HOLD.index("tags")
_CLAIM = ("workspace_id", "created", "credits", "credit_mark", "subscription_id", "tokens")
OPEN_HOLDS = (
    f"SELECT {', '.join(f'hold.{one}' for one in HOLD)}, {', '.join(f'claim.{one}' for one in _CLAIM)} FROM hold"
    " LEFT JOIN claim ON claim.request_id = hold.request_id"
)


def hold_of(row: tuple[Any, ...]) -> Hold:
    number, created, key, user, workspace, storefront, model, simulated, amount, floor, started, mark, usage = row[:13]
    order = Reservation(
        request_id=number,
        created=created,
        caller_key=key,
        caller_user=user,
        caller_workspace=workspace,
        storefront=storefront,
        requested_model=model,
        amount=amount,
        input_floor=floor,
        simulated=bool(simulated),
        tags=_tags_decoder.decode(row[_TAGS]) if row[_TAGS] else {},
    )
    hold = Hold(order, amount, bool(started), mark, claim=claim_of(row[len(HOLD) :]))
    if usage is not None:
        hold.usage = usage_of(usage)
    return hold


def claim_of(values: tuple[Any, ...]) -> Claim | None:
    """Of columns that are null where there is none."""
    return Claim(*values) if values[0] is not None else None


def call_text(call: Call) -> tuple[Any, ...]:
    """The rest of a call lies in the row of its attempt."""
    usage = call.usage
    used = None if usage is None else _plain(usage)
    if call.other_cost is None:
        return (call.role, call.model, call.status, call.latency_ms, used, call.cost, call.reason)
    return (call.role, call.model, call.status, call.latency_ms, used, call.cost, call.reason, call.other_cost)


def detail_text(end: Settlement, tags: dict[str, str]) -> str:
    calls = [call_text(one) for one in end.calls]
    if end.task:
        return _encode((end.lines, calls, end.dropped, tags, end.task)).decode()
    return _encode((end.lines, calls, end.dropped, tags)).decode()


def request_row(hold: Hold, end: Settlement, booked: Booked, now: int) -> tuple[Any, ...]:
    order = hold.order
    # `_value_` is the enumeration's plain text without the detour of `value`, which costs more than the row.
    return (
        order.request_id,
        order.created,
        order.caller_key,
        order.caller_user,
        order.caller_workspace,
        order.storefront,
        order.requested_model,
        1 if order.simulated else 0,
        now,
        end.ending._value_,
        1 if booked.started else 0,
        end.served_model,
        hold.amount,
        booked.cost,
        booked.variance,
        booked.provider_cost,
        end.credits,
        *_plain(end.usage),
        end.provenance._value_,
        end.price_version,
        end.status,
        end.latency_ms,
        end.first_byte_ms,
        detail_text(end, order.tags),
    )


class _Call(NamedTuple):
    role: str
    model: str
    status: str
    latency_ms: int
    usage: tuple[int, ...] | None
    cost: int
    reason: str | None
    other_cost: int | None = None


class _Detail(NamedTuple):
    lines: tuple[Line, ...]
    calls: tuple[_Call, ...]
    dropped: tuple[str, ...]
    tags: dict[str, str]
    task: str = ""


_detail_decoder = msgspec.json.Decoder(_Detail)

RETIRED = "retired"  # the line of a receipt whose parts are gone


def retired(detail: str, cost: int) -> str:
    """A receipt's detail without its parts: what it cost in one line, and what is summed by."""
    _lines, _calls, _dropped, tags, task = _detail_decoder.decode(detail)
    lines = ((RETIRED, 1, cost * PICO_PER_NANO, cost),) if cost else ()
    return _encode((lines, (), (), tags, task) if task else (lines, (), (), tags)).decode()


# What was given back of a request; null: nothing.
REFUNDED = f"(SELECT amount FROM entry WHERE tx = request.id AND account = {Account.REFUNDED.value})"
RECEIPT = (
    "SELECT id, created, key_id, storefront, requested_model, served_model, ending, provenance, price_version, cost,"
    f" credits, simulated, status, detail, {REFUNDED}, {', '.join(BUCKETS)} FROM request WHERE id = ?"
)
ATTEMPTS = "SELECT target, provider_cost, upstream_id FROM attempt WHERE request_id = ? ORDER BY n"


def attempts_of(run: Run, first: int, last: int) -> dict[int, list[tuple[Any, ...]]]:
    """Those of all requests between two ids, in their order."""
    query = "SELECT request_id, target, provider_cost, upstream_id FROM attempt WHERE request_id BETWEEN ? AND ?"
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in run.execute(f"{query} ORDER BY request_id, n", (first, last)):
        found.setdefault(row[0], []).append(tuple(row[1:]))
    return found


def tags_of(row: tuple[Any, ...]) -> dict[str, str]:
    """`row`: as RECEIPT reads it."""
    return _detail_decoder.decode(row[13]).tags


def receipt_of(row: tuple[Any, ...], attempts: list[tuple[Any, ...]]) -> Receipt:
    lines, calls, dropped, _tags, task = _detail_decoder.decode(row[13])
    return Receipt(
        request_id=row[0],
        created=row[1],
        caller_key=row[2],
        storefront=row[3],
        requested_model=row[4],
        served_model=row[5],
        ending=Ending(row[6]),
        usage=Usage(**dict(zip(BUCKETS, row[15:], strict=True))),
        provenance=Provenance(row[7]),
        price_version=row[8],
        cost=row[9],
        credits=row[10],
        simulated=bool(row[11]),
        refunded=row[14] or 0,
        lines=lines,
        calls=tuple(_call_of(call, attempt) for call, attempt in zip(calls, attempts, strict=True)),
        dropped=dropped,
        status=row[12],
        task=task,
    )


def _call_of(call: _Call, attempt: tuple[Any, ...]) -> Call:
    return Call(
        role=call.role,
        model=call.model,
        status=call.status,
        latency_ms=call.latency_ms,
        usage=Usage(**dict(zip(BUCKETS, call.usage, strict=True))) if call.usage is not None else None,
        cost=call.cost,
        reason=call.reason,
        target=attempt[0],
        provider_cost=attempt[1],
        upstream_id=attempt[2],
        other_cost=call.other_cost,
    )
