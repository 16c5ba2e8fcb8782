"""What is asked of the ledger in sums, and what it answers.

Law: figures are integers as the ledger has them: nano-USD, micro-credits, tokens. A day is a UTC day since the epoch,
the one on which a request began.
"""

from typing import NamedTuple

import msgspec

from conflux.neutral.ledger import ID_CHANCES, Receipt
from conflux.neutral.usage import BUCKETS, Usage

_DAY_MS = 86_400_000

# What sums may be split by, beside the caller's own tags.
DIMENSIONS = ("day", "model", "served_model", "key", "user", "workspace", "storefront")
FIGURES = ("requests", "cost", "variance", "provider_cost", "credits", *BUCKETS)


class UsageAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Days are both within. `tag`: split by the values of this tag too. `where`: only these (dimension, value)."""

    first: int
    last: int
    by: tuple[str, ...] = ()
    tag: str | None = None
    key: int | None = None  # this key's alone
    where: tuple[tuple[str, str], ...] = ()


class UsageRow(msgspec.Struct, frozen=True):
    """`names`: the values of the dimensions asked for, in that order; `figures` in the order of FIGURES. `tag` is the
    tag's value, None for requests without it."""

    names: tuple[int | str, ...]
    tag: str | None
    simulated: bool
    figures: tuple[int, ...]


class Span(NamedTuple):
    """Days since the epoch, both within."""

    first: int
    last: int

    @property
    def ids(self) -> tuple[int, int]:
        """An id begins with its milliseconds."""
        return self.first * _DAY_MS * ID_CHANCES, min((self.last + 1) * _DAY_MS * ID_CHANCES, 1 << 63) - 1


class Exported(NamedTuple):
    receipt: Receipt
    key: str
    user: str
    workspace: str
    variance: int
    provider_cost: int
    tags: dict[str, str]


class Asked(NamedTuple):
    """One call to a provider, as the ledger has it."""

    upstream_id: str | None
    request_id: int
    model: str  # the provider's own name of it
    usage: Usage | None
    cost: int | None  # nano-USD; None: not known
    status: str


class ReceiptRow(NamedTuple):
    """A receipt as a list shows it."""

    number: int
    created: int  # unix milliseconds
    key: str
    user: str
    workspace: str
    storefront: str
    requested_model: str
    served_model: str | None
    ending: str
    status: int
    cost: int
    credits: int
    provider_cost: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    latency_ms: int
    first_byte_ms: int | None
    refunded: int  # nano-USD of the cost
    simulated: bool


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did lately."""

    storefront: str
    model: str
    requests: int
    failed: int
    latency_ms: int | None
    first_byte_ms: int | None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long requests took, in one span of time and of one name."""

    number: int  # of the span, since the epoch
    name: str
    requests: int
    failed: int
    latency_ms: int | None
    slowest_ms: int
    first_byte_ms: int | None
