"""What a panel cost: every seat by its own prices, and the sum.

Law: pure. The customer pays the drafts that were there when the fuser was asked, and the fuser; no seat for more than
was held for it. The sum of the seats is the charge, to the nano-USD.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from conflux.billing.amounts import Hold
from conflux.neutral.usage import NOTHING, Provenance, Usage
from conflux.relay.account import Account, credits_of
from conflux.relay.admitted import Admitted

_RANK = (Provenance.PROVIDER, Provenance.ESTIMATED, Provenance.PARTIAL, Provenance.UNKNOWN)


def capped(found: Account, admitted: Admitted, hold: Hold) -> Account:
    """One seat's account, no more than was held for it."""
    if admitted.simulated or found.charge <= hold.amount:
        return found
    return replace(found, charge=hold.amount)


def total(seats: Sequence[tuple[Admitted, Account]], own: Account | None, fuser: Admitted) -> Account:
    """The panel's account. `own`: the fuser's part, if it answered."""
    parts = [*seats, *(((fuser, own),) if own is not None else ())]
    usage = NOTHING
    for _, found in parts:
        usage = usage.plus(found.usage)
    versions = dict.fromkeys((found.sheet or admitted.model.price).version for admitted, found in parts)
    return Account(
        usage=usage,
        provenance=_worst([found.provenance for _, found in parts]),
        lines=tuple(line for _, found in parts for line in found.lines),
        charge=sum(found.charge for _, found in parts),
        own=own,
        credits=sum(credits_of(admitted, found) for admitted, found in parts),
        versions=" + ".join(versions),
    )


def _worst(found: Sequence[Provenance]) -> Provenance:
    """A sum is as good as its worst part; a part that is not billed makes it an estimate."""
    if found and all(one is Provenance.QUARANTINED for one in found):
        return Provenance.QUARANTINED
    known = [Provenance.ESTIMATED if one is Provenance.QUARANTINED else one for one in found]
    return max(known, key=_RANK.index, default=Provenance.UNKNOWN)


def fuser_usage(found: Account) -> Usage | None:
    return found.own.usage if found.own is not None else None
