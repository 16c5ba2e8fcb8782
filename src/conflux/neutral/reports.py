"""What is asked of the ledger in sums, and what it answers.

Law: figures are integers as the ledger has them: nano-USD, micro-credits, tokens. A day is a UTC day since the epoch,
the one on which a request began.
"""

import msgspec

from conflux.neutral.usage import BUCKETS

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
