"""The words between the relay and the ledger.

Law: a request is reserved, perhaps started and checkpointed, and settled exactly once. Each word is a complete
record: the ledger asks nothing back, and the relay needs nothing from the ledger but yes, no, or "cannot".
"""

from enum import StrEnum

import msgspec

from conflux.neutral.plans import Plan
from conflux.neutral.records import Scope
from conflux.neutral.usage import NOTHING, Provenance, Usage

_ID_PREFIX = "req_"
_ID_DIGITS = 16

ID_CHANCES = 1 << 22


def new_request_id(now: float, chance: int) -> int:
    """63 bits: milliseconds, then a number below ID_CHANCES. Grows with time, so the ledger's tree only appends."""
    return (int(now * 1000) << 22 | chance) & 0x7FFFFFFFFFFFFFFF


def request_id_text(number: int) -> str:
    return f"{_ID_PREFIX}{number:016x}"


def request_id_number(text: str) -> int | None:
    """The number behind a request id, or None for what is not one."""
    digits = text.removeprefix(_ID_PREFIX)
    if len(digits) != _ID_DIGITS or digits == text or not digits.isalnum():
        return None
    try:
        number = int(digits, 16)
    except ValueError:
        return None
    return number if number < 1 << 63 and request_id_text(number) == text else None


class Ending(StrEnum):
    """How a request ended; its one terminal state."""

    DONE = "done"
    FAILED = "failed"  # no answer was delivered: the customer pays nothing
    CANCELLED = "cancelled"  # the client left
    CUT = "cut"  # the upstream or a deadline ended a started answer
    CRASHED = "crashed"  # settled by recovery


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """Asks a subscription for a request and at most `tokens`, in every window of its plan."""

    subscription: int
    plan: Plan
    tokens: int


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is to be done once, however often it is asked for."""

    name: bytes  # a digest of whose it is and what its client calls it
    body: bytes  # a digest of what is asked
    expires: int  # unix seconds


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a request that has a name."""

    name: bytes
    sealed: bytes | None = None  # the answer; None: there is none, and the name is free; empty: it was too large


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for `amount` nano-USD to be held under every scope, before anything is sent."""

    request_id: int
    created: int  # unix milliseconds
    caller_key: int
    caller_user: int
    caller_workspace: int
    storefront: str
    requested_model: str
    amount: int
    scopes: tuple[Scope, ...] = ()
    input_floor: int = 0  # nano-USD: the least a started and crashed request costs
    simulated: bool = False
    tags: dict[str, str] = {}  # the caller's own, kept with the hold so that a crash does not lose them
    credits: int = 0  # micro-credits: the most it may cost, where its workspace holds credits
    credit_floor: int = 0  # the least, started and crashed
    quota: Quota | None = None  # it is paid by a plan
    once: Once | None = None  # refused where another of this name is under way, or was answered


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a started stream has come; what it would cost if we died now."""

    request_id: int
    amount: int
    usage: Usage = NOTHING
    credits: int = 0  # micro-credits, as `amount`


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A receipt line: quantity of a bucket at a unit price (pico-units), rounded up once (nano-USD)."""

    bucket: str
    quantity: int
    unit_price: int
    amount: int


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as the receipt shows it; `target` is for admins only."""

    role: str  # direct | source | fuser
    model: str
    status: str
    latency_ms: int
    usage: Usage | None = None
    cost: int = 0  # nano-USD, the customer's part
    reason: str | None = None
    target: str | None = None
    provider_cost: int | None = None  # nano-USD the house owes; None: not known
    upstream_id: str | None = None
    other_cost: int | None = None  # nano-USD; of a model that stood in: the larger of the two totals, not charged


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """Ends a request. `charge` is what the customer pays; the ledger caps it at the hold and books the rest
    as variance, borne by the house."""

    request_id: int
    ending: Ending
    charge: int
    served_model: str | None = None
    provider_cost: int = 0
    usage: Usage = NOTHING
    provenance: Provenance = Provenance.UNKNOWN
    price_version: str = ""
    credits: int = 0  # micro-credits
    lines: tuple[Line, ...] = ()
    calls: tuple[Call, ...] = ()
    dropped: tuple[str, ...] = ()
    status: int = 200
    latency_ms: int = 0
    first_byte_ms: int | None = None
    task: str = ""  # that it was routed for; "" where it named its model
    kept: Kept | None = None  # of a request that was to be done once


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The settled record of one request, as the ledger gives it back."""

    request_id: int
    created: int
    caller_key: int
    storefront: str
    requested_model: str
    served_model: str | None
    ending: Ending
    usage: Usage
    provenance: Provenance
    price_version: str
    cost: int
    credits: int
    simulated: bool
    lines: tuple[Line, ...]
    calls: tuple[Call, ...]
    dropped: tuple[str, ...]
    status: int
    task: str = ""
    refunded: int = 0  # nano-USD of the cost that were given back
