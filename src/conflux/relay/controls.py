"""What a client tells the gateway beside its protocol: fallback, prefer, max-cost-usd.

Law: a control that makes no sense is refused by name, also where it would change nothing: whoever misspells one would
take it for obeyed. Each is a header `x-conflux-NAME`, or the storefront's own prefix; no provider ever sees it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from conflux.neutral.errors import invalid
from conflux.neutral.money import MoneyError, nano_from_usd
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.neutral.request import Envelope
from conflux.routing.board import NEVER
from conflux.routing.prefer import Preset, preset_named

_SHOWN = 40
_Reader = Callable[[str, str], object]  # of a header: its name and what it says


class Cap(NamedTuple):
    """What a header lets an answer cost, in nano-USD."""

    most: float
    header: str


def check_controls(storefront: Storefront, headers: Headers, envelope: Envelope) -> Cap | None:
    """Every one that the request holds, needed or not. What it may cost, where it says so; of two the last."""
    known, cap = _known(storefront.header_prefix), None
    for name, value in headers:
        reader = known.get(name)
        if reader is not None:
            read = reader(name.decode(), _text(value))
            if isinstance(read, int) and reader is _amount:
                cap = Cap(read, name.decode())
    said = envelope.body.get("prefer")
    if said is not None:
        preset_named(said)
    return cap


def stands_in(storefront: Storefront, headers: Headers) -> bool:
    """May another model answer? Whoever says off once has said no."""
    return all(_fallback(name, said) for name, said in _heard(storefront, headers, "fallback"))


def preferred(storefront: Storefront, envelope: Envelope, headers: Headers) -> Preset:
    """The request's field, else its header (of two the last), else the storefront's own."""
    said = envelope.body.get("prefer")
    if said is not None:
        return preset_named(said)
    heard = _heard(storefront, headers, "prefer")
    return _preset(*heard[-1]) if heard else preset_named(storefront.prefer)


def most_cost(storefront: Storefront, headers: Headers) -> float:
    """What the caller lets an answer cost, in nano-USD; of two the last."""
    heard = _heard(storefront, headers, "max-cost-usd")
    return _amount(*heard[-1]) if heard else NEVER


def _heard(storefront: Storefront, headers: Headers, control: str) -> list[tuple[str, str]]:
    """The header's name and what it says."""
    reader = _CONTROLS[control]
    known = _known(storefront.header_prefix)
    return [(name.decode(), _text(value)) for name, value in headers if known.get(name) is reader]


@lru_cache(maxsize=256)
def _known(prefix: str) -> dict[bytes, _Reader]:
    """The headers of a storefront with this prefix: each request looks its own up here."""
    return {
        f"x-{one}-{control}".lower().encode(): reader
        for one in ("conflux", prefix)
        for control, reader in _CONTROLS.items()
    }


def _text(value: bytes) -> str:
    return value.strip().decode("latin-1")


def _fallback(name: str, said: str) -> bool:
    word = said.lower()
    if word not in ("on", "off"):
        raise invalid(f"{name}: {said[:_SHOWN]!r} is neither on nor off", param=name)
    return word == "on"


def _preset(name: str, said: str) -> Preset:
    return preset_named(said, name)


def _amount(name: str, said: str) -> int:
    try:
        found = nano_from_usd(said)
    except MoneyError:
        found = 0
    if found <= 0:
        raise invalid(f"{name}: {said[:_SHOWN]!r} is not an amount of USD above 0, such as 0.02", param=name)
    return found


_CONTROLS: dict[str, _Reader] = {
    "fallback": _fallback,
    "prefer": _preset,
    "max-cost-usd": _amount,
}
