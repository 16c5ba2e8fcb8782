"""What tests of the stores make requests with."""

import itertools
import os
from pathlib import Path
from typing import Any

import conflux
from conflux.neutral.ledger import Call, Ending, Line, Reservation, Settlement
from conflux.neutral.records import Scope
from conflux.neutral.usage import Provenance, Usage

# Thursday, 2026-11-19 12:00 UTC, in unix seconds.
NOON = 1_795_089_600
HOUR = 3600
DAY = 86_400

_numbers = itertools.count(1)


def environment(*first: Path) -> dict[str, str]:
    """For a child that imports what we import: `first` before the package and these tests."""
    ours = (*first, Path(conflux.__file__).parents[1], Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, ours), os.environ.get("PYTHONPATH", "")])}


class Clock:
    def __init__(self, moment: float = NOON) -> None:
        self.moment = moment

    def __call__(self) -> float:
        return self.moment


def number(moment: float = NOON) -> int:
    """A request id that no test has used."""
    return (int(moment * 1000) << 22) + next(_numbers)


def order(amount: int = 100, *, moment: float = NOON, **rest: Any) -> Reservation:
    fields: dict[str, Any] = {
        "request_id": number(moment),
        "created": int(moment * 1000),
        "caller_key": 1,
        "caller_user": 1,
        "caller_workspace": 1,
        "storefront": "conflux",
        "requested_model": "conflux/one",
        "amount": amount,
    }
    return Reservation(**{**fields, **rest})


def ending(number: int, charge: int = 0, how: Ending = Ending.DONE, **rest: Any) -> Settlement:
    return Settlement(request_id=number, ending=how, charge=charge, **rest)


def full_ending(number: int) -> Settlement:
    """One with something in every field."""
    return Settlement(
        request_id=number,
        ending=Ending.DONE,
        charge=90,
        served_model="conflux/two",
        provider_cost=40,
        usage=Usage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, reasoning=6, audio=7, image=8,
                    search=9),
        provenance=Provenance.PROVIDER,
        price_version="2026-11-01",
        credits=1_500_000,
        lines=(Line("input", 1, 435_000, 40), Line("output", 5, 870_000, 50)),
        calls=(
            Call(role="direct", model="conflux/one", status="failed", latency_ms=3, reason="refused", target="a/b/c"),
            Call(role="direct", model="conflux/two", status="done", latency_ms=12, usage=Usage(input=1), cost=90,
                 target="d/e/f", provider_cost=40, upstream_id="chatcmpl-é"),
        ),
        dropped=("max_tokens",),
        status=200,
        latency_ms=15,
        first_byte_ms=4,
    )  # fmt: skip


def total(cap: int | None, key: int = 1) -> tuple[Scope, ...]:
    return (Scope("key", key, "total", cap),)
