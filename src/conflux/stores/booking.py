"""From an ending to its entries: who pays what.

Law: pure. A customer never pays more than was held, nor for what was not delivered; what is left is the house's, as
variance. The entries of one request sum to 0.
"""

from enum import IntEnum

import msgspec

from conflux.neutral.ledger import Ending, Reservation, Settlement
from conflux.neutral.usage import NOTHING, Provenance, Usage


class Account(IntEnum):
    """The ledger's accounts. A customer's entries carry the key as their party; the house has none."""

    CUSTOMER = 1
    REVENUE = 2
    PROVIDER_COST = 3
    PROVIDER_PAYABLE = 4
    VARIANCE = 5


class Hold(msgspec.Struct):
    """An open request: what was held for it, and how far it has come."""

    order: Reservation
    amount: int
    started: bool = False
    checkpoint: int = 0
    usage: Usage = NOTHING


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
    if paid and not variance and not owed:
        return (tx, _CUSTOMER, key, -paid, tx, _REVENUE, 0, paid)
    found: tuple[int, ...] = ()
    if paid:
        found = (tx, _CUSTOMER, key, -paid)
    if paid + variance:
        found += (tx, _REVENUE, 0, paid + variance)
    if owed:
        found += (tx, _COST, 0, -owed, tx, _PAYABLE, 0, owed)
    if variance:
        found += (tx, _VARIANCE, 0, -variance)
    return found


def crashed(hold: Hold) -> Settlement:
    """How recovery ends a request whose process died: the last checkpoint, at least the input; nothing if it never
    started."""
    return Settlement(
        request_id=hold.order.request_id,
        ending=Ending.CRASHED,
        charge=max(hold.checkpoint, hold.order.input_floor) if hold.started else 0,
        usage=hold.usage,
        provenance=Provenance.ESTIMATED,
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
    return msgspec.structs.replace(end, ending=Ending.FAILED, charge=0, lines=(), status=503)


def bare(end: Settlement) -> Settlement:
    """The same ending with nothing in it that a database could refuse; for when it did."""
    return Settlement(
        request_id=end.request_id,
        ending=end.ending,
        charge=end.charge if end.charge < 1 << 62 else 0,
        provenance=Provenance.QUARANTINED,
        status=end.status,
    )
