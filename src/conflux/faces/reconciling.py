"""A provider's invoice held against what the ledger says of its calls; for the command line and the admin API.

Law: reads only. Calls that came back with nothing are nothing to pay; those that the provider gave no id are counted
and left out.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Protocol

from conflux.billing.reconcile import Billed, Difference, compare, exact, of_nano, read
from conflux.neutral.errors import ConfigError
from conflux.neutral.ledger import request_id_text
from conflux.neutral.reports import Asked, Span

_EPOCH = date(1970, 1, 1)
_EVER = 3_000_000  # days: longer than ids last
NEAR = "0.00000001"


class Called(Protocol):
    """What is read beside a server."""

    def count(self, span: Span) -> int: ...
    def asked(self, provider: str, span: Span) -> Iterator[Asked]: ...


Watch = Callable[[Iterator[Asked], int], Iterator[Asked]]


def span_of(command: str, first: str | None, last: str | None) -> Span:
    days = []
    for name, text, otherwise in (("--from", first, 0), ("--to", last, _EVER)):
        try:
            days.append(otherwise if text is None else max((date.fromisoformat(text) - _EPOCH).days, 0))
        except ValueError:
            raise ConfigError([f"{command}: {name}: {text!r} is no day such as 2026-11-01"]) from None
    if days[0] > days[1]:
        raise ConfigError([f"{command}: --from {first} is after --to {last}"])
    return Span(*days)


def columns_of(text: str) -> dict[str, str]:
    """Which of the invoice's columns is what: `id=response_id,cost=usd_total`."""
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, column = part.partition("=")
        if not equals or not column:
            raise ConfigError([f"reconcile: --columns: {part!r}: write NAME=COLUMN, for example id=response_id"])
        found[name.strip()] = column.strip()
    return found


def near_of(tolerance: str) -> int:
    """How far apart two costs may be, of 10**-18 USD."""
    try:
        near = exact(tolerance)
    except ValueError:
        near = -1
    if near < 0:
        raise ConfigError([f"reconcile: --tolerance-usd: {tolerance[:40]!r} is no amount such as 0.001"])
    return near


def reconcile(
    books: Called, invoice: list[Billed], provider: str, span: Span, tolerance: str, watch: Watch
) -> tuple[list[Difference], dict[str, int]]:
    """What differs, and how much of what was looked at. `watch`: goes over the calls, and tells how far it is."""
    near = near_of(tolerance)
    ours, unnamed = _ours(watch(books.asked(provider, span), books.count(span)))
    if not ours:
        raise ConfigError([f"reconcile: the ledger knows of no call to {provider!r} with an id in these days"])
    found = compare(invoice, ours, near)
    counts = {kind: sum(one.kind == kind for one in found) for kind in ("missing", "extra", "differs")}
    return found, {"invoice": len(invoice), "ledger": len(ours), "without_id": unnamed, **counts}


def _ours(calls: Iterator[Asked]) -> tuple[list[Billed], int]:
    """The calls that the provider named, and how many it did not."""
    found, unnamed = [], 0
    for call in calls:
        if call.status == "failed":
            continue  # nothing came back: nothing to pay
        if call.upstream_id is None:
            unnamed += 1
            continue
        usage = call.usage
        found.append(Billed(
            call.upstream_id, of_nano(call.cost), usage.prompt_total if usage else None,
            usage.completion_total if usage else None, call.model, request_id_text(call.request_id),
        ))  # fmt: skip
    return found, unnamed


def invoice_of(content: str, name: str, columns: str) -> list[Billed]:
    return read(content, name, columns_of(columns))


def shown(found: list[Difference], counts: dict[str, int]) -> dict[str, Any]:
    return {**counts, "differences": [one._asdict() for one in found]}
