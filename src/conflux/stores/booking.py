"""From an ending to its entries: who pays what.

Law: pure. A customer never pays more than was held, nor for what was not delivered; what is left is the house's, as
variance. The entries of one request sum to 0.
"""

from enum import IntEnum
from typing import Any

import msgspec

from conflux.neutral.ledger import Call, Ending, Line, Reservation, Settlement
from conflux.neutral.money import PICO_PER_NANO
from conflux.neutral.usage import NOTHING, Provenance, Usage


class Account(IntEnum):
    """The ledger's accounts. A customer's entries carry the key as their party; the house has none."""

    CUSTOMER = 1
    REVENUE = 2
    PROVIDER_COST = 3
    PROVIDER_PAYABLE = 4
    VARIANCE = 5
    # In micro-credits, each grant a party; the three below sum to 0 for themselves.
    CREDITS = 6
    CREDITS_EARNED = 7
    CREDITS_ISSUED = 8
    # Given back: the customer's, and the house's.
    REFUNDED = 9
    REFUNDS = 10


class Claim(msgspec.Struct):
    """What an open request holds besides money: of its workspace's credits, of a plan."""

    workspace: int
    created: int
    credits: int = 0  # micro-credits
    mark: int = 0  # what it would cost if we died now
    subscription: int | None = None
    tokens: int = 0


class Hold(msgspec.Struct):
    """An open request: what was held for it, and how far it has come."""

    order: Reservation
    amount: int
    started: bool = False
    checkpoint: int = 0
    usage: Usage = NOTHING
    claim: Claim | None = None
    place: Any = None  # the book's own: where it counts


class Booked(msgspec.Struct, frozen=True, gc=False):
    cost: int  # as the receipt shows it
    paid: int  # what account and budgets bear: nothing of a simulated request
    variance: int  # borne by the house
    provider_cost: int
    started: bool


_DONE = Ending.DONE


def held_for(order: Reservation) -> int:
    return 0 if order.simulated else order.amount


def book(hold: Hold, end: Settlement) -> Booked:
    # An answer that was not streamed is settled before its body is sent, so it was never marked as started.
    started = hold.started or end.ending is _DONE
    charge = end.charge if started and end.charge > 0 else 0
    if hold.order.simulated:
        return Booked(charge, 0, 0, 0, started)
    cost = charge if charge <= hold.amount else hold.amount
    return Booked(cost, cost, charge - cost, end.provider_cost if end.provider_cost > 0 else 0, started)


# Plain numbers: reading one from the enumeration takes longer than everything else here.
_CUSTOMER, _REVENUE = Account.CUSTOMER.value, Account.REVENUE.value
_COST, _PAYABLE, _VARIANCE = Account.PROVIDER_COST.value, Account.PROVIDER_PAYABLE.value, Account.VARIANCE.value


def legs(tx: int, key: int, booked: Booked) -> tuple[int, ...]:
    """The entries of a settlement, four figures each: transaction, account, party, amount. 0 is no entry."""
    paid, variance, owed = booked.paid, booked.variance, booked.provider_cost
    found: tuple[int, ...]
    if paid and not variance:
        found = (tx, _CUSTOMER, key, -paid, tx, _REVENUE, 0, paid)
        return (*found, tx, _COST, 0, -owed, tx, _PAYABLE, 0, owed) if owed else found
    found = (tx, _CUSTOMER, key, -paid) if paid else ()
    if paid + variance:
        found += (tx, _REVENUE, 0, paid + variance)
    if owed:
        found += (tx, _COST, 0, -owed, tx, _PAYABLE, 0, owed)
    if variance:
        found += (tx, _VARIANCE, 0, -variance)
    return found


def squared(end: Settlement, booked: Booked) -> Settlement:
    """The ending as its receipt shows it: lines and calls that add up to the cost, whatever the cost became."""
    total = 0
    for line in end.lines:
        total += line.amount
    if total == booked.cost and booked.cost == end.charge:
        return end
    lines = end.lines if booked.cost else ()
    missing = booked.cost - total if booked.cost else 0
    if missing:
        # Above the hold nobody pays. Of what recovery ends, there is the sum of the last checkpoint and no more; of an
        # ending that the database refused in full, only its charge.
        bucket = "cap" if missing < 0 else "recovered" if end.ending is Ending.CRASHED else "unlisted"
        lines += (Line(bucket, 1, missing * PICO_PER_NANO, missing),)
    over = sum(call.cost for call in end.calls) - booked.cost
    calls = []
    for call in reversed(end.calls):
        less = min(call.cost, over) if over > 0 else 0
        over -= less
        calls.append(msgspec.structs.replace(call, cost=call.cost - less) if less else call)
    return msgspec.structs.replace(end, lines=lines, calls=tuple(reversed(calls)))


_DIED = "the gateway's process ended before the answer did"


def crashed(hold: Hold) -> Settlement:
    """How recovery ends a request whose process died: the last checkpoint, at least the input; nothing if it never
    started."""
    charge = max(hold.checkpoint, hold.order.input_floor) if hold.started else 0
    call = Call(role="direct", model=hold.order.requested_model, status=Ending.CRASHED.value, latency_ms=0,
                usage=hold.usage, cost=charge, reason=_DIED)  # fmt: skip
    return Settlement(
        request_id=hold.order.request_id,
        ending=Ending.CRASHED,
        charge=charge,
        usage=hold.usage,
        provenance=Provenance.ESTIMATED,
        credits=hold.claim.mark if hold.claim is not None and hold.started else 0,
        calls=(call,) if hold.started else (),
        status=500,
    )


def dropped(number: int) -> Settlement:
    """Ends a request whose caller went away while it was being reserved: nothing was sent anywhere."""
    return Settlement(request_id=number, ending=Ending.CANCELLED, charge=0, status=499)


def late(hold: Hold, end: Settlement) -> Settlement:
    """An ending that could not be written when it came. Its caller was told so: an answer that had not begun was
    withheld, and is free; of one that had, the customer has what was delivered."""
    if hold.started:
        return end
    return msgspec.structs.replace(end, ending=Ending.FAILED, charge=0, lines=(), status=503, kept=None)


def bare(end: Settlement) -> Settlement:
    """The same ending with nothing in it that a database could refuse; for when it did."""
    return Settlement(
        request_id=end.request_id,
        ending=end.ending,
        charge=end.charge if end.charge < 1 << 62 else 0,
        provenance=Provenance.QUARANTINED,
        credits=end.credits if end.credits < 1 << 62 else 0,
        status=end.status,
    )
