"""From an ending to its entries: who pays what.

Law: pure. A customer never pays more than was held, nor for what was not delivered; what is left is the house's, as
variance. The entries of one request sum to 0.
"""

from enum import IntEnum
from typing import NamedTuple

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


class Booked(NamedTuple):
    cost: int  # as the receipt shows it
    paid: int  # what account and budgets bear: nothing of a simulated request
    variance: int  # borne by the house
    provider_cost: int
    started: bool


def held_for(order: Reservation) -> int:
    return 0 if order.simulated else order.amount


def book(hold: Hold, end: Settlement) -> Booked:
    # An answer that was not streamed is settled before its body is sent, so it was never marked as started.
    started = hold.started or end.ending is Ending.DONE
    charge = max(end.charge, 0) if started else 0
    if hold.order.simulated:
        return Booked(charge, 0, 0, 0, started)
    cost = min(charge, hold.amount)
    return Booked(cost, cost, charge - cost, max(end.provider_cost, 0), started)


Leg = tuple[int, int, int, int]  # transaction, account, party, amount


def legs(transaction: int, key: int, booked: Booked) -> list[Leg]:
    """The entries of a settlement. An amount of 0 is no entry."""
    found: list[Leg] = []
    if booked.paid:
        found.append((transaction, Account.CUSTOMER.value, key, -booked.paid))
    if booked.paid + booked.variance:
        found.append((transaction, Account.REVENUE.value, 0, booked.paid + booked.variance))
    if booked.provider_cost:
        found.append((transaction, Account.PROVIDER_COST.value, 0, -booked.provider_cost))
        found.append((transaction, Account.PROVIDER_PAYABLE.value, 0, booked.provider_cost))
    if booked.variance:
        found.append((transaction, Account.VARIANCE.value, 0, -booked.variance))
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
